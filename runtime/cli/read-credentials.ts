import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Credentials } from '../../lib/client/client.ts'
import { Failure } from './failure.ts'
import type { HostEntry } from './hosts-file.ts'

/** Reads a file that a table of hosts.toml names; undefined where it names none. Rejects with Failure. */
export type ReadNamedFile = (path: string | undefined) => Promise<string | undefined>

/** `owner` is what a message begins with, such as "host db1". */
export const createFileReader =
  (env: NodeJS.ProcessEnv, owner: string): ReadNamedFile =>
  async path => {
    if (path === undefined) return undefined
    const absolute = path.startsWith('~/') ? join(env.HOME || homedir(), path.slice(2)) : path
    return readFile(absolute, 'utf8').catch(error => {
      throw new Failure(`${owner}: ${(error as Error).message}`)
    })
  }

type Entry = Pick<
  HostEntry,
  'key' | 'secret' | 'secret_file' | 'token' | 'token_file' | 'private_key_file' | 'signature'
>

/** What a table of hosts.toml says of who asks. */
export const readCredentials = async (
  entry: Entry,
  file: ReadNamedFile,
): Promise<Credentials | undefined> => {
  const privateKey = await file(entry.private_key_file)
  if (privateKey !== undefined) return { privateKey, keyId: entry.key! }
  const token = entry.token ?? (await file(entry.token_file))?.trim()
  if (token !== undefined) return { token }
  const secret = entry.secret ?? firstSecret(await file(entry.secret_file))
  return secret === undefined ? undefined : { secret, keyId: entry.key, signature: entry.signature }
}

/** A file may have several, one a line, while one takes the place of another. */
export const firstSecret = (text: string | undefined): string | undefined =>
  text?.split(/\r?\n/).find(line => line !== '')
