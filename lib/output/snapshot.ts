import type { OutputStream } from '../process/types.ts'
import type { Chunk, OutputStore } from '../store/output-store.ts'
import { OutputRemovedError } from './output-removed-error.ts'
import type { OutputSource } from './source.ts'
import { createStreamDecoder } from './text.ts'

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

/** Holds the first 64 KiB at most: a short output is read once, and is not lost when its job is removed. */
export const createSnapshot = (
  store: OutputStore,
  { number, encoding, exists }: OutputSource,
): OutputSnapshot => {
  const first = store.readSome(number, 0)
  const firstSeq = first.at(-1)?.seq ?? 0
  // Chunks never change but for losing what is superseded, so that the last one bounds the snapshot.
  const lastSeq = store.lastSeq(number)
  let delivered = 0

  function* pieces(stream: OutputStream): Generator<Chunk[]> {
    yield first.filter(chunk => chunk.stream === stream)
    for (let seq = firstSeq; seq < lastSeq; ) {
      const some = store.readSome(number, seq, stream).filter(chunk => chunk.seq <= lastSeq)
      if (some.length === 0) break
      yield some
      seq = some.at(-1)!.seq
    }
    // What is missing must not pass for the end.
    if (firstSeq < lastSeq && !exists()) throw new OutputRemovedError()
  }

  return {
    *texts(stream) {
      // Made when it is needed: most jobs write nothing to stderr, and a decoder costs more than a short text.
      let decoder: ReturnType<typeof createStreamDecoder> | undefined
      for (const chunks of pieces(stream)) {
        if (chunks.length === 0) continue
        decoder ??= createStreamDecoder(encoding)
        const text = joined(chunks).map(decoder.add).join('')
        for (const { bytes } of chunks) delivered += bytes.length
        if (text !== '') yield text
      }
      const text = decoder?.end() ?? ''
      if (text !== '') yield text
    },
    deliveredBytes: () => delivered,
  }
}

/** Chunks of one stream that follow each other as one: decoding each of many small ones would cost far more. */
const joined = (chunks: Chunk[]): { streamPosition: number; bytes: Uint8Array }[] => {
  const groups: Chunk[][] = []
  for (const chunk of chunks) {
    const group = groups.at(-1)
    const last = group?.at(-1)
    if (group && last && last.streamPosition + last.bytes.length === chunk.streamPosition) group.push(chunk)
    else groups.push([chunk])
  }
  return groups.map(group => {
    const [first] = group as [Chunk]
    const bytes = group.length === 1 ? first.bytes : Buffer.concat(group.map(chunk => chunk.bytes))
    return { streamPosition: first.streamPosition, bytes }
  })
}
