import { hash } from 'node:crypto'
import { AgentError, failure } from '../base/errors.ts'
import type { NonceStore } from '../store/nonce-store.ts'

export interface NoncesOptions {
  store: NonceStore
  /** Wall time in milliseconds. */
  now(): number
  /** How many are remembered at most. */
  most?: number
}

/**
 * Has each nonce of a key used once. What is remembered is bounded, and outlives the agent; when there is no room for
 * more, new ones are refused: none is forgotten before its signature is too old.
 */
export const createNonces = ({ store, now, most = MOST }: NoncesOptions) => {
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

  return {
    /** `expiresAt`: when the signature is too old anyway, in milliseconds. Throws AgentError nonce-used, nonce-not-remembered. */
    use(keyId: string, nonce: string, expiresAt: number): void {
      const digest = hash('sha256', `${keyId}\n${nonce}`)
      if (unstored.has(digest)) throw failure('nonce-used')
      try {
        if (uses++ % USES_BETWEEN_REMOVALS === 0 || isFull()) removeExpired()
        // After the clock was set back: it may be one of those that are not remembered any more.
        if (expiresAt <= store.removedUntil()) throw failure('nonce-used')
        if (isFull()) throw failure('nonce-not-remembered')
        storeUnstored()
        if (!insert(digest, expiresAt)) throw failure('nonce-used')
      } catch (error) {
        if (error instanceof AgentError) throw error
        useUnstored(digest, expiresAt)
      }
    },
  }
}

export type Nonces = ReturnType<typeof createNonces>

/** Ten minutes of 1,600 requests a second; 100 MB on the disk. */
const MOST = 1_000_000
const MOST_UNSTORED = 10_000
const USES_BETWEEN_REMOVALS = 64
const REMOVED_AT_A_TIME = 256
