import type { Chunk, OutputStore } from '../store/output-store.ts'
import type { Notifier } from './notifier.ts'
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
    } else if (!(await nextChange(changes, signal, idleMs))) yield []
  }
}

/**
 * True when there is a change or the reader has gone, false when the time is up first. It must be called without a
 * wait after the last look at the store, so that no change is missed; it leaves nothing behind, however often it is
 * called.
 */
const nextChange = async (changes: Notifier, signal: AbortSignal, idleMs = 2 ** 30): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const wake = () => resolve(true)
  const forget = changes.wait(wake)
  const timer = setTimeout(resolve, idleMs, false)
  signal.addEventListener('abort', wake)
  try {
    return await promise
  } finally {
    forget()
    clearTimeout(timer)
    signal.removeEventListener('abort', wake)
  }
}
