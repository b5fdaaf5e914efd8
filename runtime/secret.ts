import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivateFile } from './private-file.ts'
import { withRegularFile } from './regular-file.ts'

export interface Secrets {
  /** Any of them is good; the first is what the agent itself signs with. */
  values: string[]
  /** The file it was made up in; undefined when they were given. */
  madeUpIn: string | undefined
}

export interface SecretOptions {
  secret: string | undefined
  secretFile: string | undefined
  keysFile: string | undefined
  dataDirectory: string
}

/**
 * The given secret, or those of the given file, one a line; where neither is given, and no file of keys either, one
 * made up and kept in the data directory. Rejects when one of the file has fewer characters than `leastSecret`.
 */
export const loadSecrets = async (options: SecretOptions, leastSecret = 1): Promise<Secrets> => {
  const { secret, secretFile, keysFile, dataDirectory } = options
  if (secret !== undefined) return { values: [secret], madeUpIn: undefined }
  if (secretFile !== undefined)
    return { values: await readSecrets(secretFile, leastSecret), madeUpIn: undefined }
  if (keysFile !== undefined) return { values: [], madeUpIn: undefined }
  const madeUpIn = join(dataDirectory, 'secret')
  const kept = await withRegularFile(madeUpIn, file => file.readFile('utf8')).catch(ignoreMissing)
  // An empty one is what an agent left that was killed, or had no space, when it made the secret up.
  if (!kept?.trim()) await writeFile(madeUpIn, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
  return { values: await readSecrets(madeUpIn), madeUpIn }
}

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

/** Several while one takes the place of another. */
const readSecrets = async (path: string, least = 1): Promise<string[]> => {
  const linesOf = (text: string) => text.split(/\r?\n/).filter(line => line !== '')
  const values = await readPrivateFile(path, linesOf, () => true)
  if (values.length === 0) throw new Error(`${path}: the secret is empty`)
  if (values.some(value => value.length < least))
    throw new Error(`${path}: a secret has fewer than ${least} characters`)
  return values
}
