import type { Micros } from '../../base/timestamp.ts'
import type { OutputStream } from '../../process/types.ts'
import type { Chunk } from '../output-store.ts'
import { decodeRuns, encodeRuns } from './output-runs.ts'

/** Chunks that follow each other without a gap, of both streams, as one row of the table of outputs. */
export interface OutputRow {
  /** Of the first chunk, as are the stream, the time and the positions. */
  seq: number
  stream: OutputStream
  time: Micros
  position: number
  streamPosition: number
  bytes: Uint8Array
  chunks: number
  /** Stream, length and time of each chunk; null for a single one. */
  runs: Uint8Array | null
  /** How many of the bytes are of the stream that the first chunk is not of. */
  otherBytes: number
}

/** As few rows as their bounds allow, in the order of the chunks. */
export const packRows = (chunks: readonly Chunk[]): OutputRow[] => {
  const rows: OutputRow[] = []
  for (let start = 0, end = 1; start < chunks.length; start = end, end++) {
    let length = chunks[start]!.bytes.length
    for (; end < chunks.length && end - start < ROW_CHUNKS; end++) {
      length += chunks[end]!.bytes.length
      if (length > ROW_BYTES || !isNext(chunks[end - 1]!, chunks[end]!)) break
    }
    rows.push(rowOf(chunks.slice(start, end)))
  }
  return rows
}

/** The chunks of a row; their bytes are views of the row's. */
export const unpackRow = (row: OutputRow): Chunk[] => {
  const { seq, stream, time, position, streamPosition, bytes, runs } = row
  if (runs === null) return [{ seq, stream, time, position, streamPosition, bytes }]
  const otherPosition = position - streamPosition
  const next =
    stream === 'stdout'
      ? { stdout: streamPosition, stderr: otherPosition }
      : { stdout: otherPosition, stderr: streamPosition }
  let offset = 0
  return decodeRuns(runs, time).map((run, index) => {
    const chunk = {
      seq: seq + index,
      stream: run.stream,
      time: run.time,
      position: position + offset,
      streamPosition: next[run.stream],
      bytes: bytes.subarray(offset, offset + run.length),
    }
    offset += run.length
    next[run.stream] += run.length
    return chunk
  })
}

/** Whether a chunk can share a row with the one before it, so that unpacking gives both back exactly. */
export const isNext = (before: Chunk, chunk: Chunk): boolean => {
  const streamPosition =
    chunk.stream === before.stream
      ? before.streamPosition + before.bytes.length
      : before.position - before.streamPosition
  return (
    chunk.seq === before.seq + 1 &&
    chunk.position === before.position + before.bytes.length &&
    chunk.streamPosition === streamPosition &&
    chunk.time >= before.time
  )
}

/** What a row holds of one stream, or of both, in order. */
export const bytesOfRow = (row: OutputRow, stream?: OutputStream): Uint8Array => {
  if (stream === undefined || (row.otherBytes === 0 && row.stream === stream)) return row.bytes
  if (row.runs === null) return new Uint8Array(0)
  const length = row.stream === stream ? row.bytes.length - row.otherBytes : row.otherBytes
  const bytes = new Uint8Array(length)
  let from = 0
  let to = 0
  for (const run of decodeRuns(row.runs, row.time)) {
    const end = from + run.length
    // Most runs are so short here that a call for each would cost more.
    if (run.stream === stream) while (from < end) bytes[to++] = row.bytes[from++]!
    from = end
  }
  return bytes
}

const rowOf = (chunks: Chunk[]): OutputRow => {
  const first = chunks[0]!
  if (chunks.length === 1) return { ...first, chunks: 1, runs: null, otherBytes: 0 }
  const others = chunks.filter(({ stream }) => stream !== first.stream)
  return {
    ...first,
    bytes: Buffer.concat(chunks.map(({ bytes }) => bytes)),
    chunks: chunks.length,
    runs: encodeRuns(
      chunks.map(({ stream, time, bytes }) => ({ stream, time, length: bytes.length })),
      first.time,
    ),
    otherBytes: others.reduce((sum, { bytes }) => sum + bytes.length, 0),
  }
}

/** What a reader takes in one step is bounded by both. */
export const ROW_BYTES = 1 << 16
export const ROW_CHUNKS = 256
