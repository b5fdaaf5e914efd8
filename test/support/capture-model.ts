import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { createCapture } from '../../lib/output/capture.ts'
import type { OutputStream } from '../../lib/process/types.ts'
import type { Chunk, Superseded } from '../../lib/store/output-store.ts'
import type { FakeTime } from './fake-time.ts'

/** What happens to a capture: a write of so many bytes, a flush, or so many milliseconds that pass. */
export type CaptureEvent = { write: OutputStream; size: number } | { flush: true } | { pass: number }

export const anyStream = fc.constantFrom<OutputStream>('stdout', 'stderr')

export const anyEvents = (largestWrite: number, maxLength = 40): fc.Arbitrary<CaptureEvent[]> =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ write: anyStream, size: fc.nat(largestWrite) }) },
      { weight: 1, arbitrary: fc.constant({ flush: true } as const) },
      { weight: 2, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 400 }) }) },
    ),
    { maxLength },
  )

/** A store of one job's output in memory, that does what the contract of `append` says. */
export const memoryStore = () => {
  let chunks: Chunk[] = []
  const size = (): number => chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return {
    append(added: Chunk[], superseded?: Superseded): number {
      const before = size()
      if (superseded) {
        chunks = chunks.flatMap(chunk => {
          const gone = superseded.position - chunk.position
          if (chunk.seq < superseded.fromSeq || gone <= 0) return [chunk]
          if (gone >= chunk.bytes.length) return []
          const { position, streamPosition, bytes } = chunk
          const moved = { position: position + gone, streamPosition: streamPosition + gone }
          return [{ ...chunk, ...moved, bytes: bytes.subarray(gone) }]
        })
      }
      const removed = before - size()
      // As a database does: the bytes are only valid during the call.
      chunks.push(...added.map(chunk => ({ ...chunk, bytes: Uint8Array.from(chunk.bytes) })))
      return removed
    },
    read: (): Chunk[] => chunks,
  }
}

/** Everything that was written, byte for byte, with the stream and its position in it. */
export interface Written {
  bytes: Buffer
  streams: OutputStream[]
  streamPositions: number[]
}

/** Plays events on a capture; returns all that was written. The bytes given are overwritten after each call. */
export const play = (
  capture: ReturnType<typeof createCapture>,
  events: CaptureEvent[],
  time: FakeTime,
): Written => {
  const pieces: Buffer[] = []
  const streams: OutputStream[] = []
  const streamPositions: number[] = []
  const next = { stdout: 0, stderr: 0 }
  for (const event of events) {
    if ('flush' in event) capture.flush()
    else if ('pass' in event) time.pass(event.pass)
    else {
      const start = streams.length
      const bytes = Buffer.alloc(event.size)
      for (let index = 0; index < event.size; index++) {
        bytes[index] = ((start + index) * 2_654_435_761) >>> 24
        streams.push(event.write)
        streamPositions.push(next[event.write]++)
      }
      pieces.push(Buffer.from(bytes))
      capture.write(event.write, bytes)
      bytes.fill(0)
    }
  }
  return { bytes: Buffer.concat(pieces), streams, streamPositions }
}

/** Which bytes of all that was written are kept, by position; checks that the chunks are true and in order. */
export const keptPositions = (chunks: Chunk[], written: Written): number[] => {
  const positions: number[] = []
  let lastSeq = 0
  for (const { seq, stream, position, streamPosition, bytes } of chunks) {
    assert.ok(seq > lastSeq, `seq ${seq} after ${lastSeq}`)
    lastSeq = seq
    assert.ok(bytes.length > 0)
    assert.ok(position > (positions.at(-1) ?? -1), 'chunks lie one after the other')
    assert.ok(Buffer.from(bytes).equals(written.bytes.subarray(position, position + bytes.length)))
    for (let index = 0; index < bytes.length; index++) {
      if (written.streams[position + index] !== stream) assert.fail('a byte in the wrong stream')
      if (written.streamPositions[position + index] !== streamPosition + index)
        assert.fail('a wrong position')
      positions.push(position + index)
    }
  }
  return positions
}
