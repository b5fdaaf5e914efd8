import { open } from 'node:fs/promises'

/**
 * Reads a file that says who may do what. Rejects with an Error, which never holds what is in it, when another account
 * may change it; or read it, if it `holdsSecrets` by what it says.
 */
export const readPrivateFile = async <T>(
  path: string,
  parse: (text: string) => T,
  holdsSecrets: (parsed: T) => boolean,
): Promise<T> => {
  const file = await open(path)
  try {
    const { mode, uid } = await file.stat()
    const own = process.getuid?.()
    if (own !== undefined && uid !== own && uid !== 0)
      throw new Error(`it belongs to user ${uid}; chown it to ${own}`)
    if ((mode & 0o022) !== 0) throw new Error(`others may write it; chmod 600 ${path}`)
    const parsed = parse(await file.readFile('utf8'))
    if ((mode & 0o044) !== 0 && holdsSecrets(parsed)) {
      throw new Error(`it holds secrets that others may read; chmod 600 ${path}`)
    }
    return parsed
  } finally {
    await file.close()
  }
}
