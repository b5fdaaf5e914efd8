import type { Retention, RetentionLimits } from '../retention.ts'
import type { Database } from './database.ts'
import { createRemoval } from './removal.ts'
import { createShelf, type ShelfOptions } from './shelf.ts'

/** Removes ended jobs, the oldest first, as soon as there are too many, too large, or too old ones. */
export const createRetention = (database: Database, limits: RetentionLimits): Retention => {
  const freePages = database.prepare('SELECT freelist_count AS pages FROM pragma_freelist_count')
  const vacuum = database.prepare(`PRAGMA incremental_vacuum(${PAGES_A_TURN})`)
  const vacuumLittle = database.prepare(`PRAGMA incremental_vacuum(${PAGES_A_SMALL_TURN})`)
  const removal = createRemoval(database)
  const pins = createPins()
  const { ageMs } = limits
  const shelf = (options: Pick<ShelfOptions, 'holds' | 'order' | 'isOver'>) =>
    createShelf(database, { ...options, ageMs, isPinned: pins.has })

  const ran = shelf({
    holds: `finish_time IS NOT NULL AND state <> 'rejected'`,
    order: 'finish_time, stored_bytes, number',
    isOver: kept => kept.jobs > limits.jobs || kept.bytes > limits.bytes,
  })
  const rejected = shelf({
    // The second condition names the index; ids sort by time.
    holds: `state = 'rejected' AND state <> 'running'`,
    order: 'id, number',
    isOver: kept => kept.jobs > REJECTED_JOBS,
  })

  /** Removes one job, or a part of the output of one that was removed before; false when there is nothing to do. */
  const step = (nowMs: number): boolean => {
    for (const shelf of [ran, rejected]) {
      const job = shelf.next(nowMs)
      if (!job) continue
      removal.remove(job.number)
      shelf.removed(job)
      return true
    }
    return false
  }

  return {
    added: job => (job.rejected ? rejected : ran).add(job.storedBytes),

    prune(nowMs, most = JOBS_A_TURN) {
      const deadline = performance.now() + MS_A_TURN
      let steps = 0
      while (steps < most && (removal.removeMore() || step(nowMs))) {
        steps++
        if (performance.now() > deadline) break
      }
      return steps
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

/**
 * Rejections cost a client that ignores Retry-After nothing: thousands come within seconds. These are enough to see
 * who was turned away when, and are kept apart so that they never push out a job that ran or an idempotency key.
 */
const REJECTED_JOBS = 1000

const JOBS_A_TURN = 100
/** No step is begun later than this; a step takes a few milliseconds at most. */
const MS_A_TURN = 10
/** 4 KiB each. */
const FREE_PAGES = 4096
const PAGES_A_TURN = 8192
/** Each may have to be moved, in the log at first, for which there must be room. */
const PAGES_A_SMALL_TURN = 64
