import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

/** What sorts before every id that was made at this time or later, and after those that were made before. */
export const firstIdAt = (ms: number): string => Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0')

/**
 * Makes ids: UUIDs of version 7 (RFC 9562) without their dashes, 32 hex digits. Those of one source sort in the order
 * in which they were made, also within a millisecond and when the clock is set back.
 */
export const createJobIds = (): (() => string) => {
  let msecs = 0
  let seq = 0
  // Asking the system for random bytes for each id would cost more than all the rest of it.
  const pool = new Uint8Array(4096)
  let used = pool.length

  const nextRandom = (): Uint8Array => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    used += 16
    return pool.subarray(used - 16, used)
  }

  return () => {
    const now = Date.now()
    const random = nextRandom()
    if (now > msecs) {
      msecs = now
      seq = (random[0]! << 16) | (random[1]! << 8) | random[2]! // Far from its end, 2 ** 32.
    } else seq++
    return uuidv7({ msecs, seq, random }).replaceAll('-', '')
  }
}
