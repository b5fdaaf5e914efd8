import { realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { withRegularFile } from './regular-file.ts'

/**
 * Reads a file that says who may do what. Rejects with an Error, which never holds what is in it, when another account
 * may change it, or put another in its place; or read it, if it `holdsSecrets` by what it says.
 */
export const readPrivateFile = <T>(
  path: string,
  parse: (text: string) => T,
  holdsSecrets: (parsed: T) => boolean,
): Promise<T> =>
  withRegularFile(path, async (file, { mode, uid }) => {
    const own = process.getuid?.()
    if (own !== undefined && uid !== own && uid !== 0)
      throw new Error(`it belongs to user ${uid}; chown it to ${own}`)
    if ((mode & 0o022) !== 0) throw new Error(`others may write it; chmod 600 ${path}`)
    await refuseOpenDirectories(path)
    const parsed = parse(await file.readFile('utf8'))
    if ((mode & 0o044) !== 0 && holdsSecrets(parsed)) {
      throw new Error(`it holds secrets that others may read; chmod 600 ${path}`)
    }
    return parsed
  })

/**
 * Where everybody may rename entries, an earlier file of the agent's, with a key that was revoked since, could be put
 * back. In a directory with the sticky bit, such as /tmp, nobody may rename what is another's.
 */
const refuseOpenDirectories = async (path: string): Promise<void> => {
  const directories = new Set([path, await realpath(path)].flatMap(directoriesAbove))
  for (const directory of directories) {
    const { mode } = await stat(directory)
    if ((mode & 0o1002) === 0o002)
      throw new Error(`others may write the directory ${directory}; chmod o-w ${directory}`)
  }
}

const directoriesAbove = (path: string): string[] => {
  const found: string[] = []
  for (let at = dirname(resolve(path)); found.at(-1) !== at; at = dirname(at)) found.push(at)
  return found
}
