import { join } from 'node:path'
import type { Log } from '../lib/base/log.ts'
import type { Audit } from '../lib/security/audit.ts'
import { type Key, parseKeys, withDefaultKey } from '../lib/security/keys.ts'
import { readPrivateFile } from './private-file.ts'
import { loadSecrets, type SecretOptions } from './secret.ts'
import { versionOf, watchFiles } from './watch-files.ts'

/**
 * All keys, from the secret and the file of keys. Rejects with an Error that never holds a secret. While the agent
 * `isRunning` no secret is made up, and none is taken that may be half of one.
 */
export const loadKeys = async (options: SecretOptions, isRunning = false) => {
  const { madeUpIn } = await loadSecrets(options, isRunning) // From here on its file is there.
  // Taken before the files are read: a change that comes meanwhile is seen by the next look.
  const version = await versionOf(filesOf(options))
  const { values } = await loadSecrets(options, isRunning)
  const keys = options.keysFile === undefined ? [] : await readKeysFile(options.keysFile)
  return {
    keys: values.length > 0 ? withDefaultKey(keys, values) : keys,
    secret: values[0],
    madeUpIn,
    version,
  }
}

const readKeysFile = (path: string): Promise<Key[]> =>
  readPrivateFile(path, parseKeys, keys => keys.some(({ secrets }) => secrets.length > 0))

export interface KeyWatchOptions extends SecretOptions {
  /** Of the files when the keys in use were loaded. */
  version: string
  /** Called with all keys whenever a file has changed and all is well with it. */
  onKeys(keys: readonly Key[]): void
  audit: Pick<Audit, 'record'>
  log: Log
  intervalMs?: number
}

/**
 * Takes keys up when their files change. While they cannot be used the keys from before stay, a line of the log says
 * why, once, and they are tried again.
 */
export const watchKeys = ({ version, onKeys, audit, log, intervalMs, ...options }: KeyWatchOptions) => {
  const files = filesOf(options)
  return watchFiles({
    paths: files,
    version,
    ...(intervalMs !== undefined && { intervalMs }),
    load: () => loadKeys(options, true),
    async onLoaded({ keys }) {
      onKeys(keys)
      const ids = keys.map(({ id }) => id)
      log.info({ keys: ids }, 'the keys have changed')
      await audit.record({ action: 'keys', outcome: 'changed', detail: ids.join(' ') })
    },
    async onFault(message) {
      log.error({ files, error: message }, 'THE CHANGED KEYS CANNOT BE USED: those from before stay')
      await audit.record({ action: 'keys', outcome: 'faulty', detail: message })
    },
  })
}

/** Where the keys come from. */
export const filesOf = ({ secret, secretFile, keysFile, dataDirectory }: SecretOptions): string[] => {
  const given = [secretFile, keysFile].filter(path => path !== undefined)
  return given.length === 0 && secret === undefined ? [join(dataDirectory, 'secret')] : given
}
