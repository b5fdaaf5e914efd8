import { type Database, LIMIT } from './database.ts'

/**
 * Removes jobs with their outputs in steps of bounded length: a job's record goes first, so that a job that is half
 * removed is not found any more, and the rest of its output goes in the steps after that. What a lost agent has left
 * of such an output is found by the next one, here. Throws what SQLite throws.
 */
export const createRemoval = (database: Database) => {
  const removeJob = database.prepare('DELETE FROM jobs WHERE number = ?')
  const rows = database.prepare(
    `SELECT rowid, length(bytes) FROM outputs WHERE job = ? ORDER BY seq ${LIMIT}`,
  )
  rows.setReturnArrays(true)
  const removeRow = database.prepare('DELETE FROM outputs WHERE rowid = ?')
  const withoutJob = (database.prepare(OUTPUTS_WITHOUT_JOB).all() as { job: number }[]).map(({ job }) => job)

  /** Removes the next rows of an output; true when none is left. */
  const removeRows = (job: number): boolean => {
    let bytes = 0
    const next = rows.all(job, ROWS_A_STEP) as unknown as [rowid: number, bytes: number][]
    for (const [rowid, length] of next) {
      if (bytes > BYTES_A_STEP) return false
      removeRow.run(rowid)
      bytes += length
    }
    return next.length < ROWS_A_STEP
  }

  return {
    /** Removes a job, and as much of its output as fits in one step; false when there is more, see `removeRestLater`. */
    remove: (job: number): boolean =>
      database.transaction(() => {
        removeJob.run(job)
        return removeRows(job)
      }),

    /** The rest of the output of a job that was removed is to be removed too. */
    removeRestLater: (job: number): void => void withoutJob.push(job),

    /** Removes more of an output whose job is gone; false when there is none. */
    removeMore(): boolean {
      const job = withoutJob[0]
      if (job === undefined) return false
      if (database.transaction(() => removeRows(job))) withoutJob.shift()
      return true
    },
  }
}

/** Few enough to be gone within milliseconds. */
const ROWS_A_STEP = 1000
const BYTES_A_STEP = 4 << 20

/** Goes from job to job along the index; DISTINCT would read every row of every output. */
const OUTPUTS_WITHOUT_JOB = `
  WITH RECURSIVE with_output (job) AS (
    SELECT min(job) FROM outputs
    UNION ALL
    SELECT (SELECT min(job) FROM outputs WHERE job > with_output.job) FROM with_output WHERE job IS NOT NULL
  )
  SELECT job FROM with_output WHERE job IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs WHERE number = job)
    AND job NOT IN (SELECT number FROM recent_jobs)`
