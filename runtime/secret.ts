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
 * made up and kept in the data directory. While the agent `isRunning` none is made up in the place of one that is in
 * use, and a file is refused that is more likely one that somebody is still writing.
 */
export const loadSecrets = async (options: SecretOptions, isRunning = false): Promise<Secrets> => {
  const least = isRunning ? LEAST_CHANGED_SECRET : 1
  const { secret, secretFile, keysFile, dataDirectory } = options
  if (secret !== undefined) return { values: [secret], madeUpIn: undefined }
  if (secretFile !== undefined) return { values: await readSecrets(secretFile, least), madeUpIn: undefined }
  if (keysFile !== undefined) return { values: [], madeUpIn: undefined }
  const madeUpIn = join(dataDirectory, 'secret')
  if (!isRunning) await makeUp(madeUpIn)
  return { values: await readSecrets(madeUpIn, least), madeUpIn }
}

/** Characters. */
const LEAST_CHANGED_SECRET = 8

/** Unless there is one. */
const makeUp = async (madeUpIn: string): Promise<void> => {
  const kept = await withRegularFile(madeUpIn, file => file.readFile('utf8')).catch(ignoreMissing)
  // An empty one is what an agent left that was killed, or had no space, when it made the secret up.
  if (!kept?.trim()) await writeFile(madeUpIn, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
}

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

/** Several while one takes the place of another. */
const readSecrets = async (path: string, least: number): Promise<string[]> => {
  const linesOf = (text: string) => text.split(/\r?\n/).filter(line => line !== '')
  const values = await readPrivateFile(path, linesOf, () => true)
  if (values.length === 0) throw new Error(`${path}: the secret is empty`)
  if (values.some(value => value.length < least))
    throw new Error(`${path}: a secret has fewer than ${least} characters`)
  return values
}
