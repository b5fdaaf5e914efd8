import { lstat, mkdir, mkdtemp, readdir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isScriptFile, removeScript } from './script-file.ts'

/**
 * A directory that nobody but the agent's account may write. Scripts that an earlier agent has left in it are removed,
 * and nothing else is. Rejects when what is in its place is no directory, or another user's, or one that others may
 * write, as no agent makes it.
 */
export const openScriptDirectory = async (path: string): Promise<void> => {
  const isNew = await mkdir(path, { mode: 0o700 }).then(() => true, unlessThere)
  if (isNew) return
  const { uid, mode } = await ownDirectory(path)
  if (isOpen(mode) && (await hasModes(path))) throw new Error(`others may write it; chmod 700 ${path}`)
  // Where nobody else may write, others' scripts are those of jobs that ran as them.
  const isOurs = !isOpen(mode)
  for (const name of await readdir(path)) {
    const file = join(path, name)
    if (!isScriptFile(name)) continue
    const found = await lstat(file).catch(() => undefined)
    if (found?.isFile() && (isOurs || found.uid === uid)) await removeScript(file)
  }
}

const isOpen = (mode: number): boolean => (mode & 0o022) !== 0

/** There are file systems without, where every directory looks alike. */
const hasModes = async (path: string): Promise<boolean> => {
  const made = await mkdtemp(join(path, 'newdt-auto-'))
  const { mode } = await lstat(made)
  await rmdir(made)
  return !isOpen(mode)
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
