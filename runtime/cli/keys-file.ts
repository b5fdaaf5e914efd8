import { readFile, stat } from 'node:fs/promises'
import { parseKeys } from '../../lib/security/keys.ts'
import { refuseOpenWay } from '../private-file.ts'
import { changeFile } from './change-file.ts'
import type { Cli } from './cli.ts'
import { Failure, UsageError } from './failure.ts'

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

/** None where there is no file. Rejects with Failure when it is no file of keys. */
export const readKeys = async (path: string): Promise<KeyInFile[]> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  return parse(path, text)
}

/** Rejects with Failure when it is no file of keys, or would be none. */
export const changeKeys = (
  path: string,
  change: (keys: KeyInFile[]) => KeyInFile[] | Promise<KeyInFile[]>,
): Promise<void> =>
  changeFile(path, async text => {
    const changed = textOf(await change(parse(path, text)))
    check(path, changed)
    return changed
  })

/**
 * Rejects with Failure where an agent would refuse the file for a directory on the way to it. A file that is there is
 * judged for the account that it belongs to, when root asks: the agent may run as that.
 */
export const refuseOpenPlace = async (path: string): Promise<void> => {
  const owner = process.getuid?.() === 0 ? await stat(path).catch(() => undefined) : undefined
  await refuseOpenWay(path, undefined, owner?.uid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new Failure(`${path}: ${error.message}`)
  })
}

/** Throws Failure for what an agent would not take. */
export const checkKeys = (keys: KeyInFile[]): void => check('the key', textOf(keys))

const textOf = (keys: KeyInFile[]): string => `${JSON.stringify({ keys }, null, 2)}\n`

const parse = (path: string, text: string | undefined): KeyInFile[] => {
  if (text === undefined) return []
  check(path, text)
  return (JSON.parse(text) as { keys: KeyInFile[] }).keys
}

const check = (path: string, text: string): void => {
  try {
    parseKeys(text)
  } catch (error) {
    throw new Failure(`${path}: ${(error as Error).message}`)
  }
}
