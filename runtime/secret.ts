import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Secret {
  value: string
  /** The file it was made up in; undefined when it was given. */
  madeUpIn: string | undefined
}

/** The given secret, or that of the given file, or one made up and kept in the data directory. */
export const loadSecret = async (config: {
  secret: string | undefined
  secretFile: string | undefined
  dataDirectory: string
}): Promise<Secret> => {
  if (config.secret !== undefined) return { value: config.secret, madeUpIn: undefined }
  if (config.secretFile !== undefined) {
    return { value: await readSecret(config.secretFile), madeUpIn: undefined }
  }
  const madeUpIn = join(config.dataDirectory, 'secret')
  const kept = await readFile(madeUpIn, 'utf8').catch(ignoreMissing)
  // An empty one is what an agent left that was killed, or had no space, when it made the secret up.
  if (!kept?.trim()) await writeFile(madeUpIn, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
  return { value: await readSecret(madeUpIn), madeUpIn }
}

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

const readSecret = async (path: string): Promise<string> => {
  const value = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
  if (value === '') throw new Error(`${path}: the secret is empty`)
  return value
}
