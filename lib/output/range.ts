import type { OutputStream } from '../process/types.ts'
import type { OutputStore } from '../store/output-store.ts'
import { OutputRemovedError } from './output-removed-error.ts'

export interface Range {
  /** Offsets in what is kept, of one stream or of both. */
  start: number
  end: number
  stream: OutputStream | undefined
}

/** The kept bytes of a range. Throws OutputRemovedError when one of them is not kept any more. */
export function* readRange(
  store: OutputStore,
  job: number,
  { start, end, stream }: Range,
): Generator<Uint8Array> {
  // Which chunks are meant is settled first: what takes their place meanwhile must not be read instead.
  const located = store.locateRange(job, start, end, stream)
  const last = located.at(-1)
  // Its length was promised already: an answer that just ends would look whole.
  if (end > start && !(last && last.offset + last.length >= end)) throw new OutputRemovedError()
  for (const { seq, offset, length } of located) {
    const bytes = store.bytesOf(job, seq)
    if (bytes?.length !== length) throw new OutputRemovedError()
    yield bytes.subarray(Math.max(0, start - offset), Math.min(length, end - offset))
  }
}

/** The offset at which the last `lines` lines begin. */
export const tailStart = (
  store: OutputStore,
  job: number,
  lines: number,
  stream: OutputStream | undefined,
): number => {
  let offset = store.size(job, stream)
  let missing = lines
  let isLast = true
  for (const { bytes } of store.readBackwards(job, stream)) {
    for (let at = bytes.length - 1; at >= 0; at--) {
      // A line end at the very end closes the last line, and begins none.
      if (bytes[at] === NEWLINE && !isLast && --missing === 0) return offset - (bytes.length - 1 - at)
      isLast = false
    }
    offset -= bytes.length
  }
  return 0
}

/** After which chunk to follow, and from which position in what the job wrote, to begin at an offset. */
export const locate = (store: OutputStore, job: number, offset: number, stream: OutputStream | undefined) => {
  const [at] = store.locateRange(job, offset, offset + 1, stream)
  const chunk = at && store.readSome(job, at.seq - 1)[0]
  // Beyond all that is kept: whatever comes is new.
  if (!chunk) return { afterSeq: store.lastSeq(job), position: 0 }
  const begin = stream === undefined ? chunk.position : chunk.streamPosition
  return { afterSeq: at.seq - 1, position: begin + offset - at.offset }
}

const NEWLINE = 10
