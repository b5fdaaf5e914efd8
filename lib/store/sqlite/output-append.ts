import type { Chunk, OutputStore, Superseded } from '../output-store.ts'
import type { Database } from './database.ts'
import { fromRow, ROW_COLUMNS, type RowColumns, toRow } from './output-columns.ts'
import { isNext, type OutputRow, packRows, ROW_CHUNKS, unpackRow } from './output-rows.ts'

/** The writing half of the store of outputs. */
export const createOutputAppend = (database: Database): OutputStore['append'] => {
  const insertRow = database.prepare(
    `INSERT INTO outputs (job, ${ROW_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const removeRows = database.prepare('DELETE FROM outputs WHERE job = ? AND seq >= ? AND seq < ?')
  const sumOfRows = database.prepare(
    'SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM outputs WHERE job = ? AND seq >= ? AND seq < ?',
  )
  const select = (rest: string) => {
    const statement = database.prepare(`SELECT ${ROW_COLUMNS} FROM outputs WHERE job = ? AND ${rest} LIMIT 1`)
    statement.setReturnArrays(true)
    return (...values: number[]): OutputRow | undefined => {
      const row = statement.get(...values) as unknown as RowColumns | undefined
      return row && fromRow(row)
    }
  }
  const firstKept = select('seq >= ? AND position + length(bytes) > ? ORDER BY seq')
  // Without their bytes most rows are told apart; only those of several chunks need to be read.
  const holding = select(
    'seq = (SELECT max(seq) FROM outputs WHERE job = ?1 AND seq < ?2) AND seq + chunks > ?2',
  )
  const lastOfFew = select(
    `seq = (SELECT max(seq) FROM outputs WHERE job = ?1) AND length(bytes) <= ${JOINED_BYTES} AND chunks < ${ROW_CHUNKS}`,
  )

  const insert = (job: number, chunks: readonly Chunk[]): void => {
    for (const row of packRows(chunks)) insertRow.run(job, ...toRow(row))
  }

  /** Replaces a row by rows of what is left of its chunks. */
  const replace = (job: number, row: OutputRow, ...parts: Chunk[][]): void => {
    removeRows.run(job, row.seq, row.seq + 1)
    for (const part of parts) insert(job, part)
  }

  /** Begins a row with this chunk, if it is kept. */
  const splitBefore = (job: number, seq: number): void => {
    const row = holding(job, seq)
    if (!row) return
    const chunks = unpackRow(row)
    replace(job, row, chunks.slice(0, seq - row.seq), chunks.slice(seq - row.seq))
  }

  /** Removes superseded chunks, and the superseded part of the first that stays; returns how many bytes went. */
  const supersede = (job: number, { fromSeq, position }: Superseded): number => {
    splitBefore(job, fromSeq)
    const first = firstKept(job, fromSeq, position)
    const end = first?.seq ?? Number.MAX_SAFE_INTEGER
    const { bytes } = sumOfRows.get(job, fromSeq, end) as { bytes: number }
    removeRows.run(job, fromSeq, end)
    if (!first || first.position >= position) return bytes
    replace(
      job,
      first,
      unpackRow(first).flatMap(chunk => cutBefore(chunk, position)),
    )
    return bytes + position - first.position
  }

  /** Adds to the last row while it is small: a job that writes a little now and then has few rows all the same. */
  const add = (job: number, chunks: Chunk[]): void => {
    const [first] = chunks
    const last = first && first.seq > 1 ? lastOfFew(job) : undefined
    const joined = last && unpackRow(last)
    if (first && joined && isNext(joined.at(-1)!, first)) replace(job, last, [...joined, ...chunks])
    else insert(job, chunks)
  }

  return (job, chunks, superseded) =>
    database.transaction(() => {
      // Removed first: what becomes free is used again at once.
      const removed = superseded ? supersede(job, superseded) : 0
      add(job, chunks)
      return removed
    })
}

/** What is left of a chunk from a position on: one chunk or none. */
const cutBefore = (chunk: Chunk, position: number): Chunk[] => {
  const gone = Math.max(0, position - chunk.position)
  if (gone >= chunk.bytes.length) return []
  return [
    {
      ...chunk,
      position: chunk.position + gone,
      streamPosition: chunk.streamPosition + gone,
      bytes: chunk.bytes.subarray(gone),
    },
  ]
}

/** A row up to this size is written anew to add to it: half a page, of which a whole one is written anyway. */
const JOINED_BYTES = 2048
