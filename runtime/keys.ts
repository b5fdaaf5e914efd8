import { join } from 'node:path'
import type { Log } from '../lib/base/log.ts'
import type { Audit } from '../lib/security/audit.ts'
import { type Key, parseKeys, withDefaultKey } from '../lib/security/keys.ts'
import { readPrivateFile } from './private-file.ts'
import { loadSecrets, type SecretOptions } from './secret.ts'
import { versionOf, watchFiles } from './watch-files.ts'

/** All keys, from the secret and the file of keys. Rejects with an Error that never holds a secret. */
export const loadKeys = async (options: SecretOptions) => {
  const { madeUpIn } = await loadSecrets(options) // From here on its file is there.
  // Taken before the files are read: a change that comes meanwhile is seen by the next look.
  const version = await versionOf(filesOf(options))
  const { values } = await loadSecrets(options)
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
 * Takes keys up when their files change. While a file is faulty the keys from before stay, and a line of the log says
 * what is wrong with it, once.
 */
export const watchKeys = ({ version, onKeys, audit, log, intervalMs, ...options }: KeyWatchOptions) => {
  let isClosed = false
  const watch = watchFiles({
    paths: filesOf(options),
    version,
    ...(intervalMs !== undefined && { intervalMs }),
    async onChange() {
      try {
        const loaded = await loadKeys(options)
        if (isClosed) return undefined
        onKeys(loaded.keys)
        const ids = loaded.keys.map(({ id }) => id)
        log.info({ keys: ids }, 'the keys have changed')
        await audit.record({ action: 'keys', outcome: 'changed', detail: ids.join(' ') })
        return loaded.version
      } catch (error) {
        const { message } = error as Error
        log.error(
          { files: filesOf(options), error: message },
          'THE CHANGED KEYS CANNOT BE USED: those from before stay',
        )
        await audit.record({ action: 'keys', outcome: 'faulty', detail: message })
        return undefined
      }
    },
  })
  return {
    close(): void {
      isClosed = true
      watch.close()
    },
  }
}

/** Where the keys come from. */
export const filesOf = ({ secret, secretFile, keysFile, dataDirectory }: SecretOptions): string[] => {
  const given = [secretFile, keysFile].filter(path => path !== undefined)
  return given.length === 0 && secret === undefined ? [join(dataDirectory, 'secret')] : given
}
