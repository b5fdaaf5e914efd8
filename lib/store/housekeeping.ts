import type { Log } from '../base/log.ts'
import type { Ballast } from './ballast.ts'
import type { Retention } from './retention.ts'

export interface HousekeepingOptions {
  retention: Pick<Retention, 'isPruningDue' | 'prune' | 'giveBack'>
  /** Moves what was written from the store's log into the store; resolves with false when there is no room for that. */
  checkpoint(): Promise<boolean>
  /** False when the disk has no room for new jobs. */
  hasRoom(): boolean
  /** Room for the work itself: what is removed is written down first. */
  reserve: Pick<Ballast, 'giveUp'>
  log: Log
}

/** Keeps the store within its limits: when there is something to do as jobs come, and every minute. Nothing here throws. */
export const createHousekeeping = (options: HousekeepingOptions) => {
  const { retention, checkpoint, hasRoom, reserve, log } = options
  let timer: NodeJS.Timeout | undefined
  let nextTurn: NodeJS.Immediate | undefined
  let isTidyingDue = false
  let isClosed = false

  /** Runs some of the work; an error ends it until the next job or the next minute. */
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work()
    } catch (err) {
      log.error({ err }, 'housekeeping failed')
    }
  }

  /** Once more with the room that is kept for this. */
  const withReserve = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      if (!reserve.giveUp()) throw error
      return work()
    }
  }

  /** A few jobs at a time, since the loop must breathe. */
  const pruneAll = (): void => {
    nextTurn ??= setImmediate(() => {
      nextTurn = undefined
      void attempt(pruneSome)
    })
  }

  const pruneSome = async (): Promise<void> => {
    const isShort = !hasRoom()
    const removed = withReserve(() => retention.prune(Date.now(), isShort ? JOBS_WITHOUT_ROOM : undefined))
    // What is removed takes room in the log at first.
    if (isShort) await checkpoint()
    if (isClosed) return
    if (removed > 0) pruneAll()
    else await finish()
  }

  const finish = async (): Promise<void> => {
    if (!isTidyingDue) return
    isTidyingDue = false
    // Where room is short the little that is given back at a time must arrive before there is room for more.
    while (!isClosed && withReserve(() => retention.giveBack(!hasRoom()))) {
      if (!(await checkpoint())) return
    }
  }

  const keepHouse = (): void => {
    isTidyingDue = true
    pruneAll()
  }

  return {
    /** For a job that is about to be stored: room is made when it is needed, and after this turn of the loop. */
    makeRoom(): void {
      if (retention.isPruningDue(Date.now())) pruneAll()
    },

    /** Begins to keep house at once, and again every minute. */
    start(): void {
      timer = setInterval(keepHouse, INTERVAL_MS)
      keepHouse()
    },

    close(): void {
      isClosed = true
      clearInterval(timer)
      clearImmediate(nextTurn)
    },
  }
}

export type Housekeeping = ReturnType<typeof createHousekeeping>

const JOBS_WITHOUT_ROOM = 4
const INTERVAL_MS = 60_000
