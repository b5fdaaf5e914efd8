/** Nonces of signatures that were used. Times are wall time in milliseconds. Every method may throw what the store throws. */
export interface NonceStore {
  /** Remembers one by its hash; false when it is there already. */
  insert(hash: Uint8Array, expiresAt: number): boolean
  has(hash: Uint8Array): boolean
  /** Removes at most `most` of those that expired before `time`; returns how many. */
  removeExpired(time: number, most: number): number
  /** No nonce that expires later than this was ever removed; or is of no matter, see setRemovedUntil. */
  removedUntil(): number
  /** Holds at once; when it throws, until more are removed or the store is opened again. */
  setRemovedUntil(time: number): void
  count(): number
}
