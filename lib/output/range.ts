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
  // Which pieces are meant is settled first: what takes their place meanwhile must not be read instead.
  const located = store.locateRange(job, start, end, stream)
  const last = located.at(-1)
  // Its length was promised already: an answer that just ends would look whole.
  if (end > start && !(last && last.offset + last.length >= end)) throw new OutputRemovedError()
  for (const piece of located) {
    const bytes = store.bytesOf(job, piece, stream)
    if (!bytes) throw new OutputRemovedError()
    yield bytes.subarray(Math.max(0, start - piece.offset), Math.min(piece.length, end - piece.offset))
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
  for (const bytes of store.readBackwards(job, stream)) {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    // A line end at the very end closes the last line, and begins none.
    for (let from = piece.length - (isLast ? 2 : 1); from >= 0; ) {
      const at = piece.lastIndexOf(NEWLINE, from)
      if (at < 0) break
      if (--missing === 0) return offset - (piece.length - 1 - at)
      from = at - 1
    }
    isLast = false
    offset -= piece.length
  }
  return 0
}

/** After which chunk to follow, and from which position in what the job wrote, to begin at an offset. */
export const locate = (store: OutputStore, job: number, offset: number, stream: OutputStream | undefined) => {
  const [piece] = store.locateRange(job, offset, offset + 1, stream)
  let rest = piece ? offset - piece.offset : 0
  for (const chunk of piece ? store.readSome(job, piece.seq - 1, stream) : []) {
    const begin = stream === undefined ? chunk.position : chunk.streamPosition
    if (rest < chunk.bytes.length) return { afterSeq: chunk.seq - 1, position: begin + rest }
    rest -= chunk.bytes.length
  }
  // Beyond all that is kept: whatever comes is new.
  return { afterSeq: store.lastSeq(job), position: 0 }
}

const NEWLINE = 10
