import fc from 'fast-check'
import type { OutputStream } from '../../lib/process/types.ts'
import type { Chunk } from '../../lib/store/output-store.ts'

export type Piece = [stream: OutputStream, bytes: Uint8Array]

/** Chunks that follow each other without a gap, from seq 1 on. */
export const chunksOf = (pieces: Piece[]): Chunk[] => {
  const next = { stdout: 0, stderr: 0 }
  return pieces.map(([stream, bytes], index) => {
    const position = next.stdout + next.stderr
    const streamPosition = next[stream]
    next[stream] += bytes.length
    return { seq: index + 1, stream, time: 1e15 + index, position, streamPosition, bytes }
  })
}

/** Enough for several of the store's turns. */
export const anyPieces = (bytes = fc.uint8Array({ minLength: 1, maxLength: 30 })): fc.Arbitrary<Piece[]> =>
  fc.array(fc.tuple(fc.constantFrom<OutputStream>('stdout', 'stderr'), bytes), {
    maxLength: 50,
    size: 'max',
  })

/** What one stream, or both in order, hold. */
export const bytesOf = (chunks: Chunk[], stream?: OutputStream): Buffer =>
  Buffer.concat(chunks.filter(chunk => stream === undefined || chunk.stream === stream).map(c => c.bytes))

export const STREAMS = [undefined, 'stdout', 'stderr'] as const
