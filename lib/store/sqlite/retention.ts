import type { Retention, RetentionLimits } from '../retention.ts'
import type { Database } from './database.ts'
import type { RecentJobs } from './recent-jobs.ts'
import { createRemoval } from './removal.ts'
import { createShelf, type Shelf, type ShelfOptions, type ShelvedJob } from './shelf.ts'

/** Removes ended jobs, the oldest first, when there are too many, too large, or too old ones. */
export const createRetention = (
  database: Database,
  limits: RetentionLimits,
  { moveEnded }: Pick<RecentJobs, 'moveEnded'>,
  /** Milliseconds of a clock that never goes back. */
  now = () => performance.now(),
): Retention => {
  const freePages = database.prepare('SELECT freelist_count AS pages FROM pragma_freelist_count')
  const vacuum = database.prepare(`PRAGMA incremental_vacuum(${PAGES_A_TURN})`)
  const vacuumLittle = database.prepare(`PRAGMA incremental_vacuum(${PAGES_A_SMALL_TURN})`)
  const removal = createRemoval(database)
  const pins = createPins()
  const { ageMs } = limits
  const shelf = (options: Pick<ShelfOptions, 'holds' | 'order' | 'isOver' | 'tolerated'>) =>
    createShelf(database, { ...options, ageMs, isPinned: pins.has })

  const ran = shelf({
    holds: `finish_time IS NOT NULL AND state <> 'rejected'`,
    order: 'finish_time, stored_bytes, number',
    isOver: kept => kept.jobs > limits.jobs || kept.bytes > limits.bytes,
    tolerated: Math.min(MOST_TOLERATED, Math.floor(limits.jobs / 100)),
  })
  const rejected = shelf({
    // The second condition names the index; ids sort by time.
    holds: `state = 'rejected' AND state <> 'running'`,
    order: 'id, number',
    isOver: kept => kept.jobs > REJECTED_JOBS,
    tolerated: MOST_TOLERATED,
  })

  const shelves = [ran, rejected]

  /** Removes the next job, as much of it as one step may; undefined when none is to go. */
  const removeNext = (nowMs: number): Removed | undefined => {
    for (const shelf of shelves) {
      const job = shelf.next(nowMs)
      if (!job) continue
      const isWhole = removal.remove(job.number)
      shelf.removed(job)
      return { shelf, job, isWhole }
    }
    return undefined
  }

  /**
   * Removes jobs in one transaction, up to one whose output takes more than a step, or makes it large: where the disk is
   * nearly full, what is removed must find room in the log. Returns how many.
   */
  const removeJobs = (nowMs: number, most: number): number => {
    if (!shelves.some(one => one.hasSurplus(nowMs))) return 0
    moveEnded()
    const isTimeUp = startTurn(now)
    const removed: Removed[] = []
    let bytes = 0
    try {
      database.transaction(() => {
        while (removed.length < most && bytes < BYTES_A_TRANSACTION && !isTimeUp(removed.length)) {
          const next = removeNext(nowMs)
          if (!next) break
          removed.push(next)
          bytes += next.job.storedBytes
          if (!next.isWhole) break
        }
      })
    } catch (error) {
      for (const { shelf, job } of removed) shelf.add(job.storedBytes)
      for (const shelf of shelves) shelf.lookAgain()
      throw error
    }
    for (const { job, isWhole } of removed) if (!isWhole) removal.removeRestLater(job.number)
    return removed.length
  }

  return {
    added: job => (job.rejected ? rejected : ran).add(job.storedBytes),

    isPruningDue: nowMs => shelves.some(one => one.hasMuchSurplus(nowMs)),

    prune(nowMs, most = JOBS_A_TURN) {
      const isTimeUp = startTurn(now)
      let steps = 0
      while (steps < most && !isTimeUp(steps) && removal.removeMore()) steps++
      return steps < most && !isTimeUp(steps) ? steps + removeJobs(nowMs, most - steps) : steps
    },

    giveBack(isRoomShort) {
      const { pages } = freePages.get() as { pages: number }
      if (pages <= (isRoomShort ? 0 : FREE_PAGES)) return false
      if (isRoomShort) vacuumLittle.all()
      else vacuum.all()
      return true
    },

    keep: pins.add,
  }
}

interface Removed {
  shelf: Shelf
  job: ShelvedJob
  /** With all of its output. */
  isWhole: boolean
}

/** Which jobs must stay, however often each of them was asked for. */
const createPins = () => {
  const counts = new Map<number, number>()
  return {
    has: (number: number): boolean => counts.has(number),

    /** The result ends it; calling that again does nothing. */
    add(number: number): () => void {
      counts.set(number, (counts.get(number) ?? 0) + 1)
      let isKept = true
      return () => {
        if (!isKept) return
        isKept = false
        const left = counts.get(number)! - 1
        if (left === 0) counts.delete(number)
        else counts.set(number, left)
      }
    },
  }
}

/** The first step is done however late it is: who is told of none takes it that nothing is to be removed. */
const startTurn = (now: () => number): ((steps: number) => boolean) => {
  const deadline = now() + MS_A_TURN
  return steps => steps > 0 && now() > deadline
}

/**
 * Rejections cost a client that ignores Retry-After nothing: thousands come within seconds. These are enough to see
 * who was turned away when, and are kept apart so that they never push out a job that ran or an idempotency key.
 */
const REJECTED_JOBS = 1000

const JOBS_A_TURN = 100
const BYTES_A_TRANSACTION = 1 << 20
/** So many more than the limit are waited for, since many cost little more to remove than one. */
const MOST_TOLERATED = 32
/** No further step is begun later than this; a step takes a few milliseconds at most. */
const MS_A_TURN = 10
/** 4 KiB each. */
const FREE_PAGES = 4096
const PAGES_A_TURN = 8192
/** Each may have to be moved, in the log at first, for which there must be room. */
const PAGES_A_SMALL_TURN = 64
