import type { Micros } from '../../base/timestamp.ts'
import type { OutputTotals } from '../../jobs/job.ts'
import type { OutputStream } from '../../process/types.ts'
import type { Chunk, LocatedChunk, OutputStore, Superseded } from '../output-store.ts'
import type { Database } from './database.ts'

/** What is kept of the outputs of all jobs. Every method may throw what SQLite throws. */
export const createOutputStore = (database: Database): OutputStore => {
  const insert = database.prepare('INSERT INTO outputs VALUES (?, ?, ?, ?, ?, ?, ?)')
  const firstKept = database.prepare(
    'SELECT seq, position FROM outputs WHERE job = ? AND seq >= ? AND position + length(bytes) > ? ORDER BY seq LIMIT 1',
  )
  const sumBefore = database.prepare(
    'SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM outputs WHERE job = ? AND seq >= ? AND seq < ?',
  )
  const removeBefore = database.prepare('DELETE FROM outputs WHERE job = ? AND seq >= ? AND seq < ?')
  const cut = database.prepare(`
    UPDATE outputs SET bytes = substr(bytes, 1 + :cut), position = position + :cut,
                       stream_position = stream_position + :cut
    WHERE job = :job AND seq = :seq`)
  // One row as an array takes a fifth of what a list of objects does, and most jobs have one chunk or none.
  const next = database.prepare(
    'SELECT seq, stream, time, position, stream_position, bytes FROM outputs WHERE job = ? AND seq > ? ORDER BY seq LIMIT 1',
  )
  next.setReturnArrays(true)
  const backwards = database.prepare(
    'SELECT * FROM outputs WHERE job = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
  )
  const one = database.prepare('SELECT * FROM outputs WHERE job = ? AND seq = ?')
  const lengths = database.prepare(
    'SELECT seq, stream, length(bytes) AS length FROM outputs WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?',
  )
  const last = database.prepare('SELECT * FROM outputs WHERE job = ? ORDER BY seq DESC LIMIT 1')
  const sum = database.prepare('SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM outputs WHERE job = ?')
  const sumOfStream = database.prepare(
    'SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM outputs WHERE job = ? AND stream = ?',
  )

  const readSome = (job: number, afterSeq: number, most = CHUNKS_A_TURN): Chunk[] => {
    const chunks: Chunk[] = []
    for (let last = afterSeq; chunks.length < most; ) {
      const row = next.get(job, last) as NextRow | undefined
      if (!row) break
      const [seq, stream, time, position, streamPosition, bytes] = row
      chunks.push({ seq, stream: streamOfNumber(stream), time, position, streamPosition, bytes })
      last = seq
    }
    return chunks
  }

  /** Removes superseded chunks and the superseded part of the first that stays; returns how many bytes went. */
  const supersede = (job: number, { fromSeq, position }: Superseded): number => {
    const first = firstKept.get(job, fromSeq, position) as { seq: number; position: number } | undefined
    const end = first?.seq ?? Number.MAX_SAFE_INTEGER
    let { bytes } = sumBefore.get(job, fromSeq, end) as { bytes: number }
    removeBefore.run(job, fromSeq, end)
    if (first && first.position < position) {
      cut.run({ cut: position - first.position, job, seq: first.seq })
      bytes += position - first.position
    }
    return bytes
  }

  return {
    /** Adds chunks to a job's output, all or none; returns how many superseded bytes were removed. */
    append: (job: number, chunks: Chunk[], superseded?: Superseded): number =>
      database.transaction(() => {
        // Removed first: what becomes free is used again at once.
        const removed = superseded ? supersede(job, superseded) : 0
        for (const { seq, stream, time, position, streamPosition, bytes } of chunks) {
          insert.run(job, seq, STREAM_NUMBERS[stream], time, position, streamPosition, bytes)
        }
        return removed
      }),

    /** The chunks that are kept, in order; a few at a time, so that readers hold nothing while they wait. */
    *read(job: number, afterSeq = 0): Generator<Chunk> {
      for (let seq = afterSeq; ; ) {
        const chunks = readSome(job, seq)
        yield* chunks
        if (chunks.length < CHUNKS_A_TURN) return
        seq = chunks.at(-1)!.seq
      }
    },

    /** The next chunks after one, a few at most; none when there are no more yet. */
    readSome,

    /** The kept chunks, of one stream or of both, the newest first. */
    *readBackwards(job: number, stream?: OutputStream): Generator<Chunk> {
      for (let seq = Number.MAX_SAFE_INTEGER; ; ) {
        const rows = backwards.all(job, seq, CHUNKS_A_TURN) as unknown as OutputRow[]
        yield* rows.map(fromRow).filter(chunk => stream === undefined || chunk.stream === stream)
        if (rows.length < CHUNKS_A_TURN) return
        seq = rows.at(-1)!.seq
      }
    },

    /** How many bytes are kept, of one stream or of both. */
    size(job: number, stream?: OutputStream): number {
      const row = stream === undefined ? sum.get(job) : sumOfStream.get(job, STREAM_NUMBERS[stream])
      return (row as { bytes: number }).bytes
    },

    /** The chunks that hold the bytes from offset `start` up to `end` of what is kept, without those bytes. */
    locateRange(job: number, start: number, end: number, stream?: OutputStream): LocatedChunk[] {
      const located: LocatedChunk[] = []
      let offset = 0
      for (let seq = 0; start < end && offset < end; ) {
        const rows = lengths.all(job, seq, LENGTHS_A_TURN) as unknown as LengthRow[]
        for (const row of rows) {
          if (stream !== undefined && row.stream !== STREAM_NUMBERS[stream]) continue
          if (offset < end && offset + row.length > start)
            located.push({ seq: row.seq, offset, length: row.length })
          offset += row.length
        }
        if (rows.length < LENGTHS_A_TURN) break
        seq = rows.at(-1)!.seq
      }
      return located
    },

    /** 0 when there is none. */
    lastSeq: (job: number): number => (last.get(job) as unknown as OutputRow | undefined)?.seq ?? 0,

    /** Undefined when the chunk is not kept. */
    bytesOf: (job: number, seq: number): Uint8Array | undefined =>
      (one.get(job, seq) as unknown as OutputRow | undefined)?.bytes,

    /** Where a chunk ends in all that the job wrote; undefined when it is not kept. */
    endOf(job: number, seq: number): number | undefined {
      const row = one.get(job, seq) as unknown as OutputRow | undefined
      return row && row.position + row.bytes.length
    },

    /** What the stored chunks tell of a job whose agent was lost. */
    totals(job: number): OutputTotals {
      const row = last.get(job) as unknown as OutputRow | undefined
      const { bytes: keptBytes } = sum.get(job) as { bytes: number }
      if (!row) return { stdoutBytes: 0, stderrBytes: 0, keptBytes }
      const { stream, position, streamPosition, bytes } = fromRow(row)
      const ofStream = streamPosition + bytes.length
      const ofOther = position - streamPosition
      return stream === 'stdout'
        ? { stdoutBytes: ofStream, stderrBytes: ofOther, keptBytes }
        : { stdoutBytes: ofOther, stderrBytes: ofStream, keptBytes }
    },
  }
}

const fromRow = (row: OutputRow): Chunk => ({
  seq: row.seq,
  stream: streamOfNumber(row.stream),
  time: row.time,
  position: row.position,
  streamPosition: row.stream_position,
  bytes: row.bytes,
})

/** 64 KiB each at most. */
const CHUNKS_A_TURN = 16

const LENGTHS_A_TURN = 1000

interface LengthRow {
  seq: number
  stream: number
  length: number
}

const STREAM_NUMBERS = { stdout: 1, stderr: 2 }

const streamOfNumber = (stream: number): OutputStream =>
  stream === STREAM_NUMBERS.stdout ? 'stdout' : 'stderr'

type NextRow = [
  seq: number,
  stream: number,
  time: Micros,
  position: number,
  streamPosition: number,
  bytes: Uint8Array,
]

interface OutputRow {
  seq: number
  stream: number
  time: Micros
  position: number
  stream_position: number
  bytes: Uint8Array
}
