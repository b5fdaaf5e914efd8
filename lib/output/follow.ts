import { untilCalled } from '../base/until-called.ts'
import type { Chunk, OutputStore } from '../store/output-store.ts'
import { OutputRemovedError } from './output-removed-error.ts'
import type { OutputSource } from './source.ts'

export interface FollowOptions {
  /** Only chunks after this one. */
  afterSeq: number
  /** Only chunks up to this one, as far as they are kept when it is their turn; nothing is waited for. */
  untilSeq?: number | undefined
  /** Ends the following when the reader is gone. */
  signal: AbortSignal
  /** When nothing happens for so many milliseconds, an empty array says that all is well. */
  idleMs?: number
}

/** Chunks as they are stored, until all were given: those up to `untilSeq`, or of an ended job. Throws OutputRemovedError. */
export async function* follow(
  store: OutputStore,
  { number, running, exists }: OutputSource,
  { afterSeq, untilSeq = Number.POSITIVE_INFINITY, signal, idleMs }: FollowOptions,
): AsyncGenerator<Chunk[]> {
  let seq = afterSeq
  while (!signal.aborted && seq < untilSeq) {
    // Asked before the store: the last chunks are stored before a job ends.
    const changes = running()
    const chunks = store.readSome(number, seq)
    if (chunks.length > 0) {
      seq = chunks.at(-1)!.seq
      yield seq <= untilSeq ? chunks : chunks.filter(chunk => chunk.seq <= untilSeq)
    } else if (!changes) {
      // A job that was removed has not ended here: what is missing must not pass for the end.
      if (!exists()) throw new OutputRemovedError()
      return
    } else if (untilSeq !== Number.POSITIVE_INFINITY) return
    else if (!(await untilCalled(changes.wait, { ms: idleMs, signal }))) yield [] // Nothing was waited for since the look.
  }
}
