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
export const createSnapshot = (store: OutputStore, source: OutputSource): OutputSnapshot => {
  const first = store.readSome(source.number, 0)
  // Chunks never change but for losing what is superseded, so that the last one bounds the snapshot.
  const snapshot = { store, source, first, lastSeq: store.lastSeq(source.number), delivered: 0 }
  return {
    texts: stream => textsOf(snapshot, stream),
    deliveredBytes: () => snapshot.delivered,
  }
}

interface Snapshot {
  store: OutputStore
  source: OutputSource
  first: Chunk[]
  lastSeq: number
  /** Bytes. */
  delivered: number
}

// These two are not closures: V8 makes a hidden class in old space for each generator function that is called, and
// with it all that the function holds would grow old.
function* textsOf(snapshot: Snapshot, stream: OutputStream): Generator<string> {
  // Made when it is needed: most jobs write nothing to stderr, and a decoder costs more than a short text.
  let decoder: ReturnType<typeof createStreamDecoder> | undefined
  for (const chunks of chunksOf(snapshot, stream)) {
    if (chunks.length === 0) continue
    decoder ??= createStreamDecoder(snapshot.source.encoding)
    const text = joined(chunks).map(decoder.add).join('')
    for (const { bytes } of chunks) snapshot.delivered += bytes.length
    if (text !== '') yield text
  }
  const text = decoder?.end() ?? ''
  if (text !== '') yield text
}

function* chunksOf({ store, source, first, lastSeq }: Snapshot, stream: OutputStream): Generator<Chunk[]> {
  yield first.filter(chunk => chunk.stream === stream)
  const firstSeq = first.at(-1)?.seq ?? 0
  for (let seq = firstSeq; seq < lastSeq; ) {
    const some = store.readSome(source.number, seq, stream).filter(chunk => chunk.seq <= lastSeq)
    if (some.length === 0) break
    yield some
    seq = some.at(-1)!.seq
  }
  // What is missing must not pass for the end.
  if (firstSeq < lastSeq && !source.exists()) throw new OutputRemovedError()
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
