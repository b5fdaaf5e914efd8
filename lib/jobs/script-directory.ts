import { chmod, lstat, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isScriptFile, removeScript } from './script-file.ts'

/**
 * A directory that nobody but the agent's account may write. Scripts that an earlier agent has left in it are removed,
 * and nothing else is. Rejects when what is in its place is no directory, or another user's.
 */
export const openScriptDirectory = async (path: string): Promise<void> => {
  const isNew = await mkdir(path, { mode: 0o700 }).then(() => true, unlessThere)
  if (isNew) return
  const { uid, mode } = await ownDirectory(path)
  // There are file systems without modes, where this does nothing.
  if ((mode & 0o022) !== 0) await chmod(path, 0o700).catch(() => {})
  // Where nobody else may write, others' scripts are those of jobs that ran as them.
  const isOurs = (mode & 0o022) === 0
  for (const name of await readdir(path)) {
    const file = join(path, name)
    if (!isScriptFile(name)) continue
    const found = await lstat(file).catch(() => undefined)
    if (found?.isFile() && (isOurs || found.uid === uid)) await removeScript(file)
  }
}

const unlessThere = (error: NodeJS.ErrnoException): false => {
  if (error.code !== 'EEXIST') throw error
  return false
}

const ownDirectory = async (path: string) => {
  const found = await lstat(path)
  if (!found.isDirectory()) throw new Error('something else is in its place')
  // What root makes on a network's disk may be nobody's; then so is the directory around it.
  const owners = [process.getuid?.() ?? found.uid, (await lstat(dirname(path))).uid]
  if (!owners.includes(found.uid)) throw new Error(`it belongs to user ${found.uid}`)
  return found
}
