import type { Database } from './database.ts'

/** A job on a shelf. Together the three are its place in the order, in which they are indexed too. */
export interface ShelvedJob {
  /** In microseconds. */
  finishTime: number
  storedBytes: number
  number: number
}

export interface ShelfOptions {
  /** An SQL condition that says which jobs are on it. */
  holds: string
  /** SQL expressions by which an index has them in order, the oldest first; the last one is `number`. */
  order: string
  ageMs: number
  isOver(kept: { jobs: number; bytes: number }): boolean
  /** How many more jobs may stay until that is worth a turn. */
  tolerated: number
  isPinned(number: number): boolean
}

/** Jobs that ended in one way: how many there are, and which is the next to go. */
export const createShelf = (
  database: Database,
  { holds, order, ageMs, isOver, tolerated, isPinned }: ShelfOptions,
) => {
  const select = (rest: string) =>
    database.prepare(`
      SELECT finish_time AS finishTime, stored_bytes AS storedBytes, number FROM jobs
      WHERE ${holds} ${rest} LIMIT 1`)
  const first = select(`ORDER BY ${order}`)
  const after = select(`AND (${order}) > (SELECT ${order} FROM jobs WHERE number = ?) ORDER BY ${order}`)
  // Counted once, then kept up to date, so that the end of a job costs the same whatever the history.
  const kept = database
    .prepare(`
      SELECT count(*) AS jobs, coalesce(sum(stored_bytes), 0) AS bytes FROM (
        SELECT stored_bytes FROM jobs WHERE ${holds} UNION ALL SELECT stored_bytes FROM recent_jobs WHERE ${holds}
      )`)
    .get() as { jobs: number; bytes: number }

  /** Before this time no job is too old: nobody needs to look. */
  let dueAt = 0
  /** The pinned job after which the next search goes on, when there were too many of them to pass in one. */
  let passed: number | undefined

  /** A clock that was ahead, and was set back, has put `dueAt` too far off. */
  const isDue = (nowMs: number): boolean => nowMs > dueAt || nowMs + ageMs < dueAt

  return {
    /** Whether there is, or may be, a job to remove. */
    hasSurplus: (nowMs: number): boolean => isOver(kept) || isDue(nowMs),

    /** The same, but for the few more jobs than the limit that are tolerated. */
    hasMuchSurplus: (nowMs: number): boolean =>
      isOver({ jobs: kept.jobs - tolerated, bytes: kept.bytes }) || isDue(nowMs),

    add(storedBytes: number): void {
      kept.jobs++
      kept.bytes += storedBytes
    },

    removed(job: ShelvedJob): void {
      kept.jobs--
      kept.bytes -= job.storedBytes
    },

    /** What `next` has found is not gone after all. */
    lookAgain(): void {
      dueAt = 0
      passed = undefined
    },

    /** The oldest job that is over a limit and not pinned; undefined when there is none, or none was found yet. */
    next(nowMs: number): ShelvedJob | undefined {
      if (!isOver(kept) && !isDue(nowMs)) return undefined
      for (let looks = 0; looks < LOOKS_A_SEARCH; looks++) {
        const row = passed === undefined ? first.get() : after.get(passed)
        const job = row as ShelvedJob | undefined
        if (passed === undefined) dueAt = (job ? job.finishTime / 1000 : nowMs) + ageMs
        const isToGo = job !== undefined && (isOver(kept) || nowMs > job.finishTime / 1000 + ageMs)
        if (isToGo && isPinned(job.number)) passed = job.number
        else {
          passed = undefined
          return isToGo ? job : undefined
        }
      }
      return undefined
    },
  }
}

export type Shelf = ReturnType<typeof createShelf>

const LOOKS_A_SEARCH = 100
