import type { OutputStream } from '../../process/types.ts'
import type { Chunk, LocatedPiece, OutputStore, OutputTotals } from '../output-store.ts'
import { type Database, LIMIT } from './database.ts'
import { createOutputAppend } from './output-append.ts'
import { fromRow, ROW_COLUMNS, type RowColumns, STREAM_NUMBERS } from './output-columns.ts'
import { bytesOfRow, type OutputRow, unpackRow } from './output-rows.ts'
import type { Room } from './room.ts'

/** What is kept of the outputs of all jobs. Every method may throw what SQLite throws. */
export const createOutputStore = (database: Database, room?: Pick<Room, 'spend'>): OutputStore => {
  const append = createOutputAppend(database)
  const select = (rest: string, columns = ROW_COLUMNS) => {
    const statement = database.prepare(`SELECT ${columns} FROM outputs WHERE job = ?1 ${rest}`)
    // A row as an array costs a fifth of a row as an object.
    statement.setReturnArrays(true)
    return (...values: (number | null)[]) => statement.get(...values)
  }
  // The row that holds the chunk after ?2, or else the first one after that.
  const next = `
    AND seq >= coalesce((SELECT max(seq) FROM outputs WHERE job = ?1 AND seq <= ?2 + 1), 0)
    AND seq + chunks > ?2 + 1`
  const rowAfter = select(`${next} ORDER BY seq LIMIT 1`)
  const rowOfStreamAfter = select(`${next} AND (stream = ?3 OR other_bytes > 0) ORDER BY seq LIMIT 1`)
  const rowBefore = select('AND seq < ?2 ORDER BY seq DESC LIMIT 1')
  const rowAt = select('AND seq = ?2')
  const rowHolding = select('AND seq <= ?2 ORDER BY seq DESC LIMIT 1')
  const lastRow = select(
    'ORDER BY seq DESC LIMIT 1',
    'seq, chunks, stream, position, stream_position, length(bytes), other_bytes',
  )
  const sums = select(
    '',
    `coalesce(sum(length(bytes)), 0),
     coalesce(sum(CASE stream WHEN 1 THEN length(bytes) - other_bytes ELSE other_bytes END), 0)`,
  )
  const cost = select(
    '',
    `coalesce(sum(length(bytes) + coalesce(length(runs), 0)), 0) + count(*) * ${BYTES_A_ROW}`,
  )
  const lengths = database.prepare(`
    SELECT seq, position, stream, length(bytes), other_bytes FROM outputs
    WHERE job = ? AND seq > ? ORDER BY seq ${LIMIT}`)
  lengths.setReturnArrays(true)

  const row = (values: unknown): OutputRow | undefined =>
    values === undefined ? undefined : fromRow(values as RowColumns)

  const readSome = (job: number, afterSeq: number, stream?: OutputStream): Chunk[] => {
    const found = row(
      stream === undefined
        ? rowAfter(job, afterSeq)
        : rowOfStreamAfter(job, afterSeq, STREAM_NUMBERS[stream]),
    )
    if (!found) return []
    const chunks = unpackRow(found).filter(
      chunk => chunk.seq > afterSeq && (stream === undefined || chunk.stream === stream),
    )
    // What is left of this row may be of the other stream only.
    return chunks.length > 0 ? chunks : readSome(job, found.seq + found.chunks - 1, stream)
  }

  return {
    append(job, chunks, superseded) {
      room?.spend(chunks.reduce((sum, { bytes }) => sum + bytes.length, BYTES_A_WRITE))
      return append(job, chunks, superseded)
    },

    readSome,

    *read(job, afterSeq = 0) {
      for (let some = readSome(job, afterSeq); some.length > 0; some = readSome(job, some.at(-1)!.seq))
        yield* some
    },

    *readBackwards(job, stream) {
      for (let seq = Number.MAX_SAFE_INTEGER; ; ) {
        const found = row(rowBefore(job, seq))
        if (!found) return
        const bytes = bytesOfRow(found, stream)
        if (bytes.length > 0) yield bytes
        seq = found.seq
      }
    },

    size(job, stream) {
      const [both, stdout] = sums(job) as unknown as [number, number]
      return stream === undefined ? both : stream === 'stdout' ? stdout : both - stdout
    },

    locateRange(job, start, end, stream) {
      const located: LocatedPiece[] = []
      let offset = 0
      for (let after = 0; start < end && offset < end; ) {
        const rows = lengths.all(job, after, LENGTHS_A_TURN) as unknown as LengthRow[]
        for (const [seq, position, rowStream, bytes, otherBytes] of rows) {
          const length =
            stream === undefined
              ? bytes
              : rowStream === STREAM_NUMBERS[stream]
                ? bytes - otherBytes
                : otherBytes
          if (length > 0 && offset < end && offset + length > start)
            located.push({ seq, position, offset, length })
          offset += length
        }
        if (rows.length < LENGTHS_A_TURN) break
        after = rows.at(-1)![0]
      }
      return located
    },

    bytesOf(job, { seq, position, length }, stream) {
      const found = row(rowAt(job, seq))
      if (found?.position !== position) return undefined
      // Newer chunks may have joined the row since; they come last.
      const bytes = bytesOfRow(found, stream)
      return bytes.length < length ? undefined : bytes.subarray(0, length)
    },

    lastSeq(job) {
      const [seq, chunks] = (lastRow(job) as unknown as LastRow | undefined) ?? [0, 1]
      return seq + chunks - 1
    },

    endOf(job, seq) {
      const found = row(rowHolding(job, seq))
      const chunk = found && unpackRow(found)[seq - found.seq]
      return chunk && chunk.position + chunk.bytes.length
    },

    totals(job): OutputTotals {
      const [keptBytes] = sums(job) as unknown as [number]
      const last = lastRow(job) as unknown as LastRow | undefined
      if (!last) return { stdoutBytes: 0, stderrBytes: 0, keptBytes }
      const [, , stream, position, streamPosition, length, otherBytes] = last
      const ofStream = streamPosition + length - otherBytes
      const ofOther = position - streamPosition + otherBytes
      return stream === STREAM_NUMBERS.stdout
        ? { stdoutBytes: ofStream, stderrBytes: ofOther, keptBytes }
        : { stdoutBytes: ofOther, stderrBytes: ofStream, keptBytes }
    },

    storedBytes: job => (cost(job) as unknown as [number])[0],
  }
}

const LENGTHS_A_TURN = 1000

/** What a row takes in the file besides its bytes and runs: other columns, the index, what is free in its pages. */
const BYTES_A_ROW = 100

type LengthRow = [seq: number, position: number, stream: number, bytes: number, otherBytes: number]

type LastRow = [
  seq: number,
  chunks: number,
  stream: number,
  position: number,
  streamPosition: number,
  length: number,
  otherBytes: number,
]

/** What a write puts into the log besides: some pages. */
const BYTES_A_WRITE = 16 << 10
