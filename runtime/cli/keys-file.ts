import { readFile } from 'node:fs/promises'
import { parseKeys } from '../../lib/security/keys.ts'
import type { Cli } from './cli.ts'
import { Failure, UsageError } from './failure.ts'
import { replaceFile } from './replace-file.ts'

/** A key as the file has it; the fields that newdt does not know stay as they are. */
export interface KeyInFile {
  id: string
  rights?: string[]
  token?: string | string[]
  secret?: string | string[]
  ed25519?: string | string[]
  certificate?: string | string[]
  expires?: string
}

/** Undefined when neither an option nor AGENT_KEYS_FILE names it. */
export const keysPath = ({ env }: Cli, option: string | undefined): string | undefined =>
  option ?? (env.AGENT_KEYS_FILE || undefined)

/** Throws UsageError when no file is named. */
export const neededKeysPath = (cli: Cli, option: string | undefined): string => {
  const path = keysPath(cli, option)
  if (path === undefined) throw new UsageError('which file of keys? --file FILE, or AGENT_KEYS_FILE')
  return path
}

/** Undefined where there is no file. Rejects when it is no file of keys. */
export const readKeys = async (path: string): Promise<KeyInFile[] | undefined> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (text === undefined) return undefined
  check(path, text)
  return (JSON.parse(text) as { keys: KeyInFile[] }).keys
}

export const writeKeys = async (path: string, keys: KeyInFile[]): Promise<void> => {
  const text = textOf(keys)
  check(path, text)
  await replaceFile(path, text)
}

/** Rejects what an agent would not take. */
export const checkKeys = (keys: KeyInFile[]): void => check('the key', textOf(keys))

const textOf = (keys: KeyInFile[]): string => `${JSON.stringify({ keys }, null, 2)}\n`

const check = (path: string, text: string): void => {
  try {
    parseKeys(text)
  } catch (error) {
    throw new Failure(`${path}: ${(error as Error).message}`)
  }
}
