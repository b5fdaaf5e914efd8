import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

/** A UUID of version 7 without its dashes, 32 hex digits: ids sort by time, and within a millisecond by their order. */
export const newJobId = (): string => {
  const now = Date.now()
  const random = nextRandom()
  if (now > msecs) {
    msecs = now
    seq = (random[0]! << 16) | (random[1]! << 8) | random[2]! // Far from its end, 2 ** 32.
  } else seq++
  return uuidv7({ msecs, seq, random }).replaceAll('-', '')
}

/** Of the last id. */
let msecs = 0
let seq = 0

/** 16 bytes; asking the system for each id would cost more than all the rest of it. */
const nextRandom = (): Uint8Array => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}

const pool = new Uint8Array(4096)
let used = pool.length
