import { createNonces } from '../../lib/security/nonces.ts'
import type { NonceStore } from '../../lib/store/nonce-store.ts'

/** Nonces that are remembered for the time of a test. */ import { recordingLog } from './recording-log.ts'

export const memoryNonces = (now: () => number, most?: number) =>
  createNonces({ store: memoryNonceStore(), now, log: recordingLog().log, ...(most && { most }) })

export const memoryNonceStore = (): NonceStore => {
  const nonces = new Map<string, number>()
  let removedUntil = 0
  return {
    insert(hash, expiresAt) {
      const name = Buffer.from(hash).toString('hex')
      if (nonces.has(name)) return false
      nonces.set(name, expiresAt)
      return true
    },
    has: hash => nonces.has(Buffer.from(hash).toString('hex')),
    removeExpired(time, most) {
      const expired = [...nonces].filter(([, expiresAt]) => expiresAt < time).slice(0, most)
      for (const [name, expiresAt] of expired) {
        nonces.delete(name)
        removedUntil = Math.max(removedUntil, expiresAt)
      }
      return expired.length
    },
    removedUntil: () => removedUntil,
    setRemovedUntil(time) {
      removedUntil = time
    },
    count: () => nonces.size,
  }
}
