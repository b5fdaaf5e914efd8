import { randomBytes } from 'node:crypto'
import { createNotifier } from '../output/notifier.ts'
import type { JobEvents } from './events.ts'

/** After which change a reader is. */
export interface Position {
  /** Of one life of the agent; tells its changes from those of another. */
  epoch: string
  seq: number
}

/** The last change of a job, of those that were asked for. */
export interface JobChange {
  seq: number
  id: string
}

/**
 * Which jobs have changed, for readers that each go their own pace. Only the ids of the last changes are kept: who
 * reads looks a job up as it is then, and where nobody reads a change costs no more than its number.
 */
export const createJobChanges = (events: Pick<JobEvents, 'subscribe'>, epoch = newEpoch()) => {
  const ids = new Array<string>(CHANGES_KEPT)
  const { wait, notify } = createNotifier()
  let last = 0
  let isOver = false

  const unsubscribe = events.subscribe(({ job }) => {
    last++
    ids[last % CHANGES_KEPT] = job.id
    notify()
  })

  return {
    now: (): Position => ({ epoch, seq: last }),

    /**
     * Each job that has changed after that position, once, in the order of their last changes. Undefined when that is
     * not known: too many changes lie between, or the position is none of this life of the agent.
     */
    since(position: Position): JobChange[] | undefined {
      const { seq } = position
      if (position.epoch !== epoch || seq > last || last - seq > CHANGES_KEPT) return undefined
      const found = new Map<string, JobChange>()
      for (let at = last; at > seq; at--) {
        const id = ids[at % CHANGES_KEPT]!
        if (!found.has(id)) found.set(id, { seq: at, id })
      }
      return [...found.values()].reverse()
    },

    /** Calls `tell` once, at the next change or when it is over; calling the result takes it back. */
    wait,

    /** Wakes who waits: something of the agent itself has changed. */
    notify,

    /** Nothing will change any more. */
    isOver: (): boolean => isOver,

    /** Whoever waits is told. */
    close(): void {
      isOver = true
      unsubscribe()
      notify()
    },
  }
}

export type JobChanges = ReturnType<typeof createJobChanges>

export const CHANGES_KEPT = 4096

const newEpoch = (): string => randomBytes(6).toString('hex')
