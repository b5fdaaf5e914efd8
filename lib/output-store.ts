import type { Database } from './database.ts'
import type { OutputTotals } from './job-store.ts'
import type { OutputStream } from './process/spawn.ts'
import type { Micros } from './timestamp.ts'

/** A piece of a job's output as it was read. */
export interface Chunk {
  /** Counts the chunks of a job from 1, over both streams. */
  seq: number
  stream: OutputStream
  time: Micros
  /** How many bytes the job had written before this chunk, to both streams. */
  position: number
  /** The same, to this stream. */
  streamPosition: number
  bytes: Uint8Array
}

/** Which stored chunks are superseded: those from `fromSeq` on, as far as they lie before `position`. */
export interface Superseded {
  fromSeq: number
  position: number
}

/** What is kept of the outputs of all jobs. Every method may throw what SQLite throws. */
export const createOutputStore = (database: Database) => {
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
  const after = database.prepare('SELECT * FROM outputs WHERE job = ? AND seq > ? ORDER BY seq')
  const totals = database.prepare(`
    SELECT coalesce(max(stream_position + length(bytes)) FILTER (WHERE stream = 1), 0) AS stdoutBytes,
           coalesce(max(stream_position + length(bytes)) FILTER (WHERE stream = 2), 0) AS stderrBytes,
           coalesce(sum(length(bytes)), 0) AS keptBytes
    FROM outputs WHERE job = ?`)

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

    /** The chunks that are kept, in order, read one by one. */
    *read(job: number, afterSeq = 0): Generator<Chunk> {
      for (const row of after.iterate(job, afterSeq) as unknown as Iterable<OutputRow>) {
        yield {
          seq: row.seq,
          stream: row.stream === STREAM_NUMBERS.stdout ? 'stdout' : 'stderr',
          time: row.time,
          position: row.position,
          streamPosition: row.stream_position,
          bytes: row.bytes,
        }
      }
    },

    /** What the stored chunks tell of a job whose agent was lost. */
    totals: (job: number): OutputTotals => totals.get(job) as unknown as OutputTotals,
  }
}

export type OutputStore = ReturnType<typeof createOutputStore>

const STREAM_NUMBERS = { stdout: 1, stderr: 2 }

interface OutputRow {
  seq: number
  stream: number
  time: Micros
  position: number
  stream_position: number
  bytes: Uint8Array
}
