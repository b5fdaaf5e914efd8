import type { Log } from '../base/log.ts'
import type { Retention } from './retention.ts'

export interface HousekeepingOptions {
  retention: Pick<Retention, 'prune' | 'giveBack'>
  /** Moves what was written from the store's log into the store. */
  checkpoint(): void
  log: Log
}

/** Keeps the store within its limits: a little before each new job, all that is left every minute. Nothing here throws. */
export const createHousekeeping = ({ retention, checkpoint, log }: HousekeepingOptions) => {
  let timer: NodeJS.Timeout | undefined
  let nextTurn: NodeJS.Immediate | undefined
  /** To be done when nothing is left to remove. */
  let whenDone = new Set<() => void>()

  /** Runs some of the work; an error ends it until the next job or the next minute. */
  const attempt = (work: () => void): void => {
    try {
      work()
    } catch (err) {
      log.error({ err }, 'housekeeping failed')
    }
  }

  /** A few jobs at a time, since the loop must breathe. */
  const pruneAll = (): void => {
    nextTurn ??= setImmediate(() => {
      nextTurn = undefined
      attempt(() => (retention.prune(Date.now()) > 0 ? pruneAll() : finish()))
    })
  }

  const finish = (): void => {
    const tasks = whenDone
    whenDone = new Set()
    for (const task of tasks) task()
  }

  const tidyUp = (): void => {
    retention.giveBack()
    checkpoint()
  }

  const keepHouse = (): void => {
    whenDone.add(tidyUp)
    pruneAll()
  }

  return {
    /** For a job that is about to be stored: room is made when it is needed, and not before. */
    makeRoom(): void {
      attempt(() => {
        const removed = retention.prune(Date.now(), JOBS_A_SUBMISSION)
        // There may be more, such as the rest of a large output.
        if (removed === JOBS_A_SUBMISSION) pruneAll()
      })
    },

    /** Begins to keep house at once, and again every minute. */
    start(): void {
      timer = setInterval(keepHouse, INTERVAL_MS)
      keepHouse()
    },

    close(): void {
      clearInterval(timer)
      clearImmediate(nextTurn)
    },
  }
}

export type Housekeeping = ReturnType<typeof createHousekeeping>

const JOBS_A_SUBMISSION = 2
const INTERVAL_MS = 60_000
