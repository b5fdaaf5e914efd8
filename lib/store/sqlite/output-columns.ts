import type { Micros } from '../../base/timestamp.ts'
import type { OutputRow } from './output-rows.ts'

/** What is read of a row of outputs, as an array. */
export const ROW_COLUMNS = 'seq, stream, time, position, stream_position, bytes, chunks, runs, other_bytes'

/** In the order of ROW_COLUMNS. */
export type RowColumns = [
  seq: number,
  stream: number,
  time: Micros,
  position: number,
  streamPosition: number,
  bytes: Uint8Array,
  chunks: number,
  runs: Uint8Array | null,
  otherBytes: number,
]

export const STREAM_NUMBERS = { stdout: 1, stderr: 2 }

export const fromRow = ([
  seq,
  stream,
  time,
  position,
  streamPosition,
  bytes,
  chunks,
  runs,
  otherBytes,
]: RowColumns): OutputRow => ({
  seq,
  stream: stream === STREAM_NUMBERS.stdout ? 'stdout' : 'stderr',
  time,
  position,
  streamPosition,
  bytes,
  chunks,
  runs,
  otherBytes,
})

export const toRow = (row: OutputRow): RowColumns => [
  row.seq,
  STREAM_NUMBERS[row.stream],
  row.time,
  row.position,
  row.streamPosition,
  row.bytes,
  row.chunks,
  row.runs,
  row.otherBytes,
]
