import { hash } from 'node:crypto'
import { AgentError, failure } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { NonceStore } from '../store/nonce-store.ts'

export interface NoncesOptions {
  store: NonceStore
  /** Wall time in milliseconds. */
  now(): number
  log: Log
  /** How many are remembered at most. */
  most?: number
  intervalMs?: number
}

/**
 * Has each nonce of a key used once. What is remembered is bounded, and outlives the agent; when there is no room for
 * more, new ones are refused: none is forgotten before its signature is too old.
 */
export const createNonces = ({ store, now, log, most = MOST, intervalMs = INTERVAL_MS }: NoncesOptions) => {
  let count = store.count()
  let uses = 0
  /** Those that the store did not take, a full disk for example: who wants to cancel a job must still be able to. */
  const unstored = new Map<string, number>()

  const removeExpired = (): void => {
    for (const [digest, expiresAt] of unstored) if (expiresAt < now()) unstored.delete(digest)
    count -= store.removeExpired(now(), REMOVED_AT_A_TIME)
  }

  const insert = (digest: string, expiresAt: number): boolean => {
    const isNew = store.insert(Buffer.from(digest, 'hex'), expiresAt)
    if (isNew) count++
    return isNew
  }

  const storeUnstored = (): void => {
    for (const [digest, expiresAt] of unstored) {
      insert(digest, expiresAt)
      unstored.delete(digest)
    }
  }

  const isFull = (): boolean => count + unstored.size >= most

  const useUnstored = (digest: string, expiresAt: number): void => {
    if (isStored(digest)) throw failure('nonce-used')
    if (unstored.size >= MOST_UNSTORED) throw failure('nonce-not-remembered')
    unstored.set(digest, expiresAt)
  }

  const isStored = (digest: string): boolean => {
    try {
      return store.has(Buffer.from(digest, 'hex'))
    } catch {
      throw failure('nonce-not-remembered')
    }
  }

  /** Only if the clock was set back: the nonce of a signature that is good now may be one that was removed as too old. */
  const refuseForgotten = (expiresAt: number): void => {
    const missingMs = store.removedUntil() - expiresAt
    if (missingMs >= 0) throw failure('clock-set-back', { seconds: Math.floor(missingMs / 1000) + 1 })
  }

  /**
   * When the clock was far ahead for a while, nonces were removed as if that had been the time. Of what is good now
   * nothing lasts longer than some minutes, so nothing needs to be refused for longer.
   */
  const noticeSetBack = (): void => {
    const longest = now() + LONGEST_VALID_MS
    const removedUntil = store.removedUntil()
    if (removedUntil <= longest) return
    log.error(
      { wasUntil: new Date(removedUntil).toISOString() },
      'THE CLOCK WAS SET BACK: which signatures (RFC 9421) were used is not known, so for some minutes all are refused',
    )
    store.setRemovedUntil(longest)
  }

  const tend = (): void => {
    try {
      noticeSetBack()
      storeUnstored()
    } catch {
      // The store fails; in a second it may not.
    }
  }
  const timer = setInterval(tend, intervalMs).unref()
  tend()

  return {
    /**
     * `expiresAt`: when the signature is too old anyway, in milliseconds. False when it is only in memory: an agent that
     * is killed forgets it. Throws AgentError nonce-used, nonce-not-remembered, clock-set-back.
     */
    use(keyId: string, nonce: string, expiresAt: number): boolean {
      const digest = hash('sha256', `${keyId}\n${nonce}`)
      if (unstored.has(digest)) throw failure('nonce-used')
      refuseForgotten(expiresAt)
      try {
        if (uses++ % USES_BETWEEN_REMOVALS === 0 || isFull()) removeExpired()
        if (isFull()) throw failure('nonce-not-remembered')
        storeUnstored()
        if (!insert(digest, expiresAt)) throw failure('nonce-used')
        return true
      } catch (error) {
        if (error instanceof AgentError) throw error
        useUnstored(digest, expiresAt)
        return false
      }
    },

    /** Of a request that has waited in a queue, which may come again until a job of it has ended: throws AgentError nonce-used then. */
    assertUnused(keyId: string, id: string): void {
      const digest = digestOfQueued(keyId, id)
      if (unstored.has(digest) || isStored(digest)) throw failure('nonce-used')
    },

    /**
     * A job of such a request has ended. Calling it again does nothing. False when there is no room: those that can wait
     * for days must not take that of the others. Then the job's own record is what keeps it from coming again.
     */
    useUp(keyId: string, id: string, expiresAt: number): boolean {
      if (count + unstored.size >= most / 2) return false
      const digest = digestOfQueued(keyId, id)
      try {
        insert(digest, expiresAt)
      } catch {
        if (unstored.size >= MOST_UNSTORED) return false
        unstored.set(digest, expiresAt)
      }
      return true
    },

    close(): void {
      clearInterval(timer)
      tend()
      if (unstored.size > 0)
        log.error(
          { nonces: unstored.size },
          'nonces could not be stored: the next agent may take their signatures once more',
        )
    },
  }
}

const digestOfQueued = (keyId: string, id: string): string => hash('sha256', `${keyId}\nqueued\n${id}`)

export type Nonces = ReturnType<typeof createNonces>

/** Ten minutes of 1,600 requests a second; 100 MB on the disk. */
const MOST = 1_000_000
const MOST_UNSTORED = 10_000
const USES_BETWEEN_REMOVALS = 64
const REMOVED_AT_A_TIME = 256
const INTERVAL_MS = 1000
/** From five minutes before it was made to five after. */
const LONGEST_VALID_MS = 10 * 60_000
