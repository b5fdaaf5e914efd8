import type { Micros } from '../base/timestamp.ts'
import type { OutputTotals } from '../jobs/job.ts'
import type { OutputStream } from '../process/types.ts'
import type { Chunk, Superseded } from '../store/output-store.ts'
import { createByteRing } from './byte-ring.ts'

export interface CaptureOptions {
  /** How many bytes are kept at most, of both streams: the first half (rounded up) and the newest. */
  limit: number
  /** Stores chunks, whose bytes are only valid during the call; returns how many superseded bytes it removed. A throw leaves them to a later try. */
  append(chunks: Chunk[], superseded?: Superseded): number
  now(): Micros
  /** Chunks were stored. */
  onStored?(): void
  /** More than the limit was written; told once. */
  onOverflow?(): void
  /** A write to the store failed; it will be tried again. Told once until one succeeds. */
  onError(error: unknown): void
}

/** A run of bytes of one stream that waits in memory to be stored. */
interface Segment {
  stream: OutputStream
  time: Micros
  position: number
  streamPosition: number
  length: number
}

/**
 * Takes what a job writes and stores it as numbered chunks. The first chunk after a pause is stored at once, what
 * follows in batches. Once the first half is full, what is newest waits in a bounded ring, so that bytes which are
 * superseded before the next write are counted but never written. Memory: at most a batch or the newest half.
 */
export const createCapture = ({ limit, append, now, onStored, onOverflow, onError }: CaptureOptions) => {
  const headLimit = Math.ceil(limit / 2)
  const tailLimit = limit - headLimit
  const capacity = Math.max(headLimit, BATCH_BYTES)
  const ring = createByteRing()
  const written = { stdout: 0, stderr: 0 }
  let segments: Segment[] = []
  let position = 0
  let dropped = 0
  let ended = false
  let failing = false
  let overflowed = false
  let nextSeq = 1
  /** The first chunk of the newest half. */
  let tailSeq: number | undefined
  let timer: NodeJS.Timeout | undefined
  let flushedAt = Number.NEGATIVE_INFINITY
  let flushedPosition = 0

  /** Forgets `count` bytes of what waits, the oldest first; the ring may hold fewer than that yet. */
  const dropOldest = (count: number): void => {
    ring.drop(count)
    dropped += count
    let passed = 0
    for (; count > 0; passed++) {
      const oldest = segments[passed]!
      if (oldest.length > count) {
        segments[passed] = advance(oldest, count)
        break
      }
      count -= oldest.length
    }
    segments.splice(0, passed)
  }

  const isHeadWaiting = (): boolean => segments.length > 0 && segments[0]!.position < headLimit

  const enqueue = (stream: OutputStream, bytes: Uint8Array): void => {
    const last = segments.at(-1)
    if (last?.stream === stream && position !== headLimit) last.length += bytes.length
    else {
      const streamPosition = written[stream]
      segments.push({ stream, time: now(), position, streamPosition, length: bytes.length })
    }
    written[stream] += bytes.length
    position += bytes.length
    // The oldest bytes leave before new ones come, so that the ring never grows beyond what it may hold.
    const room = isHeadWaiting() ? capacity : tailLimit
    const surplus = ring.length() + bytes.length - room
    if (surplus <= 0) ring.push(bytes)
    else {
      const kept = Math.min(bytes.length, room)
      dropOldest(surplus)
      ring.push(bytes.subarray(bytes.length - kept))
    }
  }

  /** What waits, as chunks; after a failed write there may be more than the limit, then without the middle. */
  const pendingChunks = (windowStart: number): Chunk[] => {
    const chunks: Chunk[] = []
    let offset = 0
    for (const segment of segments) {
      const isTail = segment.position >= headLimit
      const skipped = isTail ? Math.min(segment.length, Math.max(0, windowStart - segment.position)) : 0
      for (let done = skipped; done < segment.length; done += CHUNK_BYTES) {
        const length = Math.min(CHUNK_BYTES, segment.length - done)
        const bytes = ring.view(offset + done, length)
        chunks.push({ ...advance(segment, done), seq: nextSeq + chunks.length, bytes })
      }
      offset += segment.length
    }
    return chunks
  }

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    flushedAt = performance.now()
    flushedPosition = position
    if (segments.length === 0) return
    const windowStart = position - tailLimit
    const chunks = pendingChunks(windowStart)
    const superseded =
      tailSeq !== undefined && windowStart > headLimit
        ? { fromSeq: tailSeq, position: windowStart }
        : undefined
    try {
      dropped += append(chunks, superseded)
    } catch (error) {
      if (!failing) onError(error)
      failing = true
      schedule(RETRY_MS)
      return
    }
    failing = false
    tailSeq ??= chunks.find(chunk => chunk.position >= headLimit)?.seq
    nextSeq += chunks.length
    dropped += ring.length() - chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
    segments = []
    ring.drop(ring.length())
    onStored?.()
  }

  /** When the next write to the store is due; the more waits, the rarer, for the newest half supersedes itself. */
  const dueIn = (): number => {
    const isFlood = position > headLimit && position - flushedPosition >= FLOOD_BYTES
    return flushedAt + (isFlood ? TAIL_INTERVAL_MS : HEAD_INTERVAL_MS) - performance.now()
  }

  const schedule = (delay: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      const due = failing ? 0 : dueIn()
      if (due > 0) schedule(due)
      else flush()
    }, delay)
  }

  return {
    /** `bytes` need only be valid during the call. */
    write(stream: OutputStream, bytes: Uint8Array): void {
      if (ended) return // Children in the background may write on, for nobody.
      const head = bytes.subarray(0, Math.max(0, headLimit - position))
      const tail = bytes.subarray(head.length)
      if (head.length > 0) enqueue(stream, head)
      if (tail.length > 0) {
        // The first half leaves memory before the newest half moves in.
        if (isHeadWaiting()) flush()
        enqueue(stream, tail)
      }
      if (position > limit && !overflowed) {
        overflowed = true
        onOverflow?.()
      }
      const due = dueIn()
      const full = (tail.length === 0 && ring.length() >= BATCH_BYTES) || segments.length >= MOST_SEGMENTS
      if (full || (due <= 0 && timer === undefined)) flush()
      else schedule(Math.max(1, due))
    },

    /** Stores what waits, unless that was done a moment ago: many readers must not make a flood be stored whole. */
    refresh(): void {
      if (position <= headLimit || performance.now() - flushedAt > REFRESH_MS) flush()
    },

    flush,

    /** Stores what is left and gives the memory back; what cannot be stored counts as dropped. */
    end(): void {
      ended = true
      flush()
      clearTimeout(timer)
      dropped += ring.length()
      segments = []
      ring.clear()
    },

    totals: (): OutputTotals => ({
      stdoutBytes: written.stdout,
      stderrBytes: written.stderr,
      keptBytes: position - dropped,
    }),
  }
}

export type Capture = ReturnType<typeof createCapture>

const advance = (segment: Segment, count: number): Segment => ({
  ...segment,
  position: segment.position + count,
  streamPosition: segment.streamPosition + count,
  length: segment.length - count,
})

const HEAD_INTERVAL_MS = 10
const TAIL_INTERVAL_MS = 250
const RETRY_MS = 250
const REFRESH_MS = 50
const FLOOD_BYTES = 1 << 16
const BATCH_BYTES = 1 << 20
/** The largest piece a reader has to take at once. */
const CHUNK_BYTES = 1 << 16
/** Alternating single bytes of two streams must not cost memory without end. */
const MOST_SEGMENTS = 4096
