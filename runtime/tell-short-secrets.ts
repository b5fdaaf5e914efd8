import type { Log } from '../lib/base/log.ts'
import type { Key } from '../lib/security/keys.ts'

/** Over an engine wrong signatures are slowed down less than over HTTP, since nobody knows who sends them. */
export const tellShortSecrets = (keys: readonly Pick<Key, 'id' | 'secrets'>[], log: Log): void => {
  for (const { id, secrets } of keys) {
    if (secrets.some(secret => secret.length < ENOUGH))
      log.warn({ key: id }, `A SECRET IS SHORT: in a fleet it should have ${ENOUGH} characters or more`)
  }
}

const ENOUGH = 16
