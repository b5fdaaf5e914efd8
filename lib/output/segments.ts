import type { Micros } from '../base/timestamp.ts'
import type { OutputStream } from '../process/types.ts'

/** A run of bytes of one stream that waits in memory to be stored. */
export interface Segment {
  stream: OutputStream
  /** When its first byte was read. */
  time: Micros
  /** How many bytes the job had written before it, to both streams. */
  position: number
  /** The same, to its stream. */
  streamPosition: number
  length: number
}

/** A segment without its first `count` bytes. */
export const advance = (segment: Segment, count: number): Segment => ({
  ...segment,
  position: segment.position + count,
  streamPosition: segment.streamPosition + count,
  length: segment.length - count,
})

/** Removes the first `count` bytes of all segments. */
export const dropOldest = (segments: Segment[], count: number): void => {
  let rest = count
  let passed = 0
  for (; rest > 0; passed++) {
    const oldest = segments[passed]!
    if (oldest.length > rest) {
      segments[passed] = advance(oldest, rest)
      break
    }
    rest -= oldest.length
  }
  segments.splice(0, passed)
}
