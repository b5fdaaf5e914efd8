import type { Micros } from '../base/timestamp.ts'
import type { OutputStream } from '../process/types.ts'
import type { Chunk, OutputTotals, Superseded } from '../store/output-store.ts'
import { createByteRing } from './byte-ring.ts'
import { advance, dropOldest, type Segment } from './segments.ts'

/** What is to be stored, in one go. */
export interface PendingOutput {
  /** Their bytes are only valid until the next change. */
  chunks: Chunk[]
  superseded: Superseded | undefined
}

/**
 * Which part of a job's output is kept: the first half of `limit` bytes (rounded up), and the newest half. What was
 * written waits in memory, at most a batch or one half, until it is stored; it knows nothing of when that is.
 */
export const createWindow = (limit: number, now: () => Micros) => {
  const headLimit = Math.ceil(limit / 2)
  const tailLimit = limit - headLimit
  const headRoom = Math.max(headLimit, BATCH_BYTES)
  const ring = createByteRing()
  const written = { stdout: 0, stderr: 0 }
  let segments: Segment[] = []
  let position = 0
  let dropped = 0
  let nextSeq = 1
  /** The first chunk of the newest half. */
  let tailSeq: number | undefined

  const isHeadWaiting = (): boolean => segments.length > 0 && segments[0]!.position < headLimit

  const addSegment = (stream: OutputStream, length: number): void => {
    const last = segments.at(-1)
    // The two halves never share a chunk: only chunks of the newest half are superseded.
    if (last?.stream === stream && position !== headLimit) last.length += length
    else segments.push({ stream, time: now(), position, streamPosition: written[stream], length })
    written[stream] += length
    position += length
  }

  /** Single bytes that alternate between the streams must not cost memory without end while nothing can be stored. */
  const segmentSurplus = (): number =>
    segments.length <= MOST_WAITING_SEGMENTS
      ? 0
      : segments.slice(0, MOST_WAITING_SEGMENTS / 2).reduce((sum, { length }) => sum + length, 0)

  /** What waits; after a failed write there may be more than the limit, then without the middle. */
  const pendingChunks = (windowStart: number): Chunk[] => {
    const chunks: Chunk[] = []
    let offset = 0
    for (const segment of segments) {
      const isTail = segment.position >= headLimit
      const skipped = isTail ? Math.min(segment.length, Math.max(0, windowStart - segment.position)) : 0
      for (let done = skipped; done < segment.length; done += CHUNK_BYTES) {
        const { length: rest, ...start } = advance(segment, done)
        const bytes = ring.view(offset + done, Math.min(CHUNK_BYTES, rest))
        chunks.push({ ...start, seq: nextSeq + chunks.length, bytes })
      }
      offset += segment.length
    }
    return chunks
  }

  return {
    /** The part of the next bytes that belongs to the first half, and the rest. */
    split(bytes: Uint8Array): [head: Uint8Array, tail: Uint8Array] {
      const head = bytes.subarray(0, Math.max(0, headLimit - position))
      return [head, bytes.subarray(head.length)]
    },

    /** Takes bytes of one half; the oldest that wait give way where there is no room. */
    add(stream: OutputStream, bytes: Uint8Array): void {
      addSegment(stream, bytes.length)
      const room = isHeadWaiting() ? headRoom : tailLimit
      const surplus = Math.max(ring.length() + bytes.length - room, segmentSurplus())
      if (surplus > 0) {
        // The oldest bytes leave before new ones come, so that the ring never grows beyond what it may hold.
        ring.drop(surplus)
        dropOldest(segments, surplus)
        dropped += surplus
      }
      ring.push(bytes.subarray(Math.max(0, bytes.length - room)))
    },

    pending(): PendingOutput {
      const windowStart = position - tailLimit
      const isSuperseding = tailSeq !== undefined && windowStart > headLimit
      return {
        chunks: pendingChunks(windowStart),
        superseded: isSuperseding ? { fromSeq: tailSeq!, position: windowStart } : undefined,
      }
    },

    /** What was pending is stored, and so many superseded bytes were removed. */
    stored({ chunks }: PendingOutput, removed: number): void {
      tailSeq ??= chunks.find(chunk => chunk.position >= headLimit)?.seq
      nextSeq += chunks.length
      const kept = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
      dropped += removed + ring.length() - kept
      segments = []
      ring.drop(ring.length())
    },

    /** Gives the memory back; what was not stored counts as dropped. */
    close(): void {
      dropped += ring.length()
      segments = []
      ring.clear()
    },

    isHeadWaiting,
    isInHead: (): boolean => position <= headLimit,
    isOverLimit: (): boolean => position > limit,
    written: (): number => position,
    waitingBytes: (): number => ring.length(),
    waitingSegments: (): number => segments.length,

    totals: (): OutputTotals => ({
      stdoutBytes: written.stdout,
      stderrBytes: written.stderr,
      keptBytes: position - dropped,
    }),
  }
}

/** So many bytes of the first half are worth a write to the store of their own. */
export const BATCH_BYTES = 1 << 20
/** Of about 100 bytes each. */
const MOST_WAITING_SEGMENTS = 32_768
/** The largest piece a reader has to take at once. */
const CHUNK_BYTES = 1 << 16
