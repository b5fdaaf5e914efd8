import { untilCalled } from '../base/until-called.ts'
import type { Chunk, OutputStore } from '../store/output-store.ts'
import { OutputRemovedError } from './output-removed-error.ts'
import type { OutputSource } from './source.ts'

export interface FollowOptions {
  /** Only chunks after this one. */
  afterSeq: number
  /** Ends the following when the reader is gone. */
  signal: AbortSignal
  /** When nothing happens for so many milliseconds, an empty array says that all is well. */
  idleMs?: number
}

/** Chunks as they are stored, until the job has ended and all were given. Throws OutputRemovedError. */
export async function* follow(
  store: OutputStore,
  { number, running, exists }: OutputSource,
  { afterSeq, signal, idleMs }: FollowOptions,
): AsyncGenerator<Chunk[]> {
  let seq = afterSeq
  while (!signal.aborted) {
    // Asked before the store: the last chunks are stored before a job ends.
    const changes = running()
    const chunks = store.readSome(number, seq)
    if (chunks.length > 0) {
      seq = chunks.at(-1)!.seq
      yield chunks
    } else if (!changes) {
      // A job that was removed has not ended here: what is missing must not pass for the end.
      if (!exists()) throw new OutputRemovedError()
      return
    } else if (!(await untilCalled(changes.wait, { ms: idleMs, signal }))) yield [] // Nothing was waited for since the look.
  }
}
