import type { Retention, RetentionLimits } from '../retention.ts'
import type { Database } from './database.ts'

/** Removes finished jobs, the oldest first, as soon as there are too many, too large, or too old ones. */
export const createRetention = (database: Database, limits: RetentionLimits): Retention => {
  const oldest = database.prepare(`
    SELECT number, finish_time AS finishTime, kept_bytes AS bytes FROM jobs
    WHERE finish_time IS NOT NULL ORDER BY finish_time LIMIT 1`)
  const removeOutput = database.prepare('DELETE FROM outputs WHERE job = ?')
  const removeJob = database.prepare('DELETE FROM jobs WHERE number = ?')
  const freePages = database.prepare('SELECT freelist_count AS pages FROM pragma_freelist_count')
  const vacuum = database.prepare(`PRAGMA incremental_vacuum(${PAGES_A_TURN})`)

  // Counted once, then kept up to date, so that the end of a job costs the same whatever the history.
  const kept = database
    .prepare(
      'SELECT count(*) AS jobs, coalesce(sum(kept_bytes), 0) AS bytes FROM jobs WHERE finish_time IS NOT NULL',
    )
    .get() as { jobs: number; bytes: number }

  const isOver = (): boolean => kept.jobs > limits.jobs || kept.bytes > limits.bytes

  /** Before this time no job is too old: nobody needs to look. */
  let dueAt = 0

  /** A clock that was ahead, and was set back, has put that time too far off. */
  const isDue = (nowMs: number): boolean => nowMs > dueAt || nowMs + limits.ageMs < dueAt

  return {
    /** A job has finished, and so many bytes of its output are kept. */
    added(bytes: number): void {
      kept.jobs++
      kept.bytes += bytes
    },

    /** Removes at most `most` jobs that are over a limit; returns how many. `nowMs` is wall time. */
    prune(nowMs: number, most = JOBS_A_TURN): number {
      let removed = 0
      while (removed < most && (isOver() || isDue(nowMs))) {
        const job = oldest.get() as { number: number; finishTime: number; bytes: number } | undefined
        dueAt = (job ? job.finishTime / 1000 : nowMs) + limits.ageMs
        if (!job || !(isOver() || nowMs > dueAt)) break
        database.transaction(() => {
          removeOutput.run(job.number)
          removeJob.run(job.number)
        })
        kept.jobs--
        kept.bytes -= job.bytes
        removed++
      }
      return removed
    },

    /** Gives free pages back to the file system when there are many: a few are soon used again. */
    giveBack(): void {
      const { pages } = freePages.get() as { pages: number }
      if (pages > FREE_PAGES) vacuum.all()
    },
  }
}

const JOBS_A_TURN = 100
/** 4 KiB each. */
const FREE_PAGES = 4096
const PAGES_A_TURN = 8192
