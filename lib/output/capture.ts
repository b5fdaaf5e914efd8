import type { Micros } from '../base/timestamp.ts'
import type { OutputStream } from '../process/types.ts'
import type { Chunk, Superseded } from '../store/output-store.ts'
import { BATCH_BYTES, createWindow } from './window.ts'

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

/**
 * Takes what a job writes and stores it as numbered chunks. The first chunk after a pause is stored at once, what
 * follows in batches. Once the first half is full, the newest bytes wait in memory, so that bytes which are superseded
 * before the next write are counted but never written.
 */
export const createCapture = ({ limit, append, now, onStored, onOverflow, onError }: CaptureOptions) => {
  const window = createWindow(limit, now)
  let ended = false
  let failing = false
  let overflowed = false
  let timer: NodeJS.Timeout | undefined
  let flushedAt = Number.NEGATIVE_INFINITY
  let writtenWhenFlushed = 0

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    flushedAt = performance.now()
    writtenWhenFlushed = window.written()
    if (window.waitingSegments() === 0) return
    const pending = window.pending()
    try {
      window.stored(pending, append(pending.chunks, pending.superseded))
    } catch (error) {
      if (!failing) onError(error)
      failing = true
      schedule(RETRY_MS)
      return
    }
    failing = false
    onStored?.()
  }

  /** In how many ms the next write to the store is due. A flood is stored more rarely, for it supersedes itself. */
  const dueIn = (): number => {
    const isFlood = !window.isInHead() && window.written() - writtenWhenFlushed >= FLOOD_BYTES
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

  const add = (stream: OutputStream, bytes: Uint8Array): void => {
    const [head, tail] = window.split(bytes)
    if (head.length > 0) window.add(stream, head)
    if (tail.length > 0) {
      // The first half leaves memory before the newest half moves in. A store that fails is not asked each time.
      if (window.isHeadWaiting() && !failing) flush()
      window.add(stream, tail)
    }
  }

  /** Whether to store now, not when it is due; what fails is tried again when that is due. */
  const isBatchFull = (): boolean =>
    !failing &&
    ((window.isInHead() && window.waitingBytes() >= BATCH_BYTES) ||
      window.waitingSegments() >= BATCH_SEGMENTS)

  return {
    /** `bytes` need only be valid during the call. */
    write(stream: OutputStream, bytes: Uint8Array): void {
      if (ended) return // Children in the background may write on, for nobody.
      add(stream, bytes)
      if (window.isOverLimit() && !overflowed) {
        overflowed = true
        onOverflow?.()
      }
      const due = dueIn()
      if (isBatchFull() || (due <= 0 && timer === undefined)) flush()
      else schedule(Math.max(1, due))
    },

    /** Stores what waits, unless that was done a moment ago: many readers must not make a flood be stored whole. */
    refresh(): void {
      if (window.isInHead() || performance.now() - flushedAt > REFRESH_MS) flush()
    },

    flush,

    /** Stores what is left and gives the memory back; what cannot be stored counts as dropped. */
    end(): void {
      ended = true
      flush()
      clearTimeout(timer)
      window.close()
    },

    totals: window.totals,
  }
}

export type Capture = ReturnType<typeof createCapture>

const HEAD_INTERVAL_MS = 10
const TAIL_INTERVAL_MS = 250
const RETRY_MS = 250
const REFRESH_MS = 50
const FLOOD_BYTES = 1 << 16
/** Bytes that alternate between the streams are worth a write of their own, too. */
const BATCH_SEGMENTS = 4096
