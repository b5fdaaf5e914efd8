import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivateFile } from '../private-file.ts'
import { withRegularFile } from '../regular-file.ts'

export interface NotifySecretOptions {
  /** The given file; undefined where there is none. */
  secretFile: string | undefined
  dataDirectory: string
}

/** Where the secrets are that callbacks are signed with. */
export const notifySecretPath = ({ secretFile, dataDirectory }: NotifySecretOptions): string =>
  secretFile ?? join(dataDirectory, 'notify-secret')

/**
 * The secrets that callbacks are signed with, `whsec_` and base64, each on a line: several while one takes the place of
 * another. Rejects with an Error that never holds what is in the file.
 */
export const loadNotifySecrets = async (options: NotifySecretOptions): Promise<string[]> => {
  const path = notifySecretPath(options)
  const linesOf = (text: string) => text.split(/\r?\n/).filter(line => line !== '')
  const secrets = await readPrivateFile(path, linesOf, () => true)
  if (secrets.length === 0) throw new Error(`${path}: the secret is empty`)
  if (secrets.length > MOST_SECRETS) throw new Error(`${path}: more than ${MOST_SECRETS} secrets`)
  if (!secrets.every(isSecret))
    throw new Error(
      `${path}: a secret must be whsec_ and the base64 of ${LEAST_BYTES} to ${MOST_BYTES} bytes, alone on its line`,
    )
  return secrets
}

/**
 * Makes a secret up where no file is given, and keeps it in the data directory, unless there is one. It takes the place
 * of an empty file, which others may have open, or may read. For the start alone: what is taken away later is a fault.
 */
export const makeUpNotifySecret = async (options: NotifySecretOptions): Promise<void> => {
  if (options.secretFile !== undefined) return
  const path = notifySecretPath(options)
  const kept = await withRegularFile(path, file => file.readFile('utf8')).catch(ignoreMissing)
  if (!kept?.trim()) await putInPlace(path, `whsec_${randomBytes(32).toString('base64')}\n`)
}

/** Whole, on the disk, and for this account alone before it has its name. */
const putInPlace = async (path: string, text: string): Promise<void> => {
  const beside = `${path}.new`
  await rm(beside, { force: true }) // Of an agent that was killed.
  const file = await open(beside, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, path)
}

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

const isSecret = (line: string): boolean => {
  const [, text] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? []
  if (text === undefined || text.length % 4 !== 0) return false
  const { length } = Buffer.from(text, 'base64')
  return length >= LEAST_BYTES && length <= MOST_BYTES
}

/** As Standard Webhooks has them. */
const LEAST_BYTES = 24
const MOST_BYTES = 64
const MOST_SECRETS = 4
