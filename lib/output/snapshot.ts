import type { OutputStream } from '../process/types.ts'
import type { Chunk, OutputStore } from '../store/output-store.ts'
import { OutputRemovedError } from './output-removed-error.ts'
import type { OutputSource } from './source.ts'
import { decodeStream } from './text.ts'

/** What was kept of a job's output at one moment. */
export interface OutputSnapshot {
  /**
   * That of one stream, decoded, in pieces of at most 64 KiB of bytes. While the job runs, newer output may supersede
   * a part before it is read; that part is left out. Throws OutputRemovedError when the job is removed meanwhile.
   */
  texts(stream: OutputStream): Iterable<string>
  /** How many bytes of output, of both streams, `texts` has given so far. */
  deliveredBytes(): number
}

/** Holds only the first few chunks in memory: a short output is read once, and cannot be removed any more. */
export const createSnapshot = (
  store: OutputStore,
  { number, encoding, exists }: OutputSource,
): OutputSnapshot => {
  const first = store.readSome(number, 0, 2)
  const lastSeq = store.lastSeq(number)
  let delivered = 0

  function* chunks(): Generator<Chunk> {
    let some = first
    for (let seq = 0; some.length > 0; some = store.readSome(number, seq, 2)) {
      for (const chunk of some) {
        if (chunk.seq > lastSeq) return
        yield chunk
      }
      seq = some.at(-1)!.seq
      if (seq === lastSeq) return
    }
    // What is missing must not pass for the end.
    if (lastSeq > 0 && !exists()) throw new OutputRemovedError()
  }

  function* counted(stream: OutputStream): Generator<Chunk> {
    for (const chunk of chunks()) {
      if (chunk.stream !== stream) continue
      delivered += chunk.bytes.length
      yield chunk
    }
  }

  return {
    texts: stream => decodeStream(counted(stream), stream, encoding),
    deliveredBytes: () => delivered,
  }
}
