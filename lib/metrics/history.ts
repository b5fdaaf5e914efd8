import type { Micros } from '../base/timestamp.ts'
import type { JobEvent, JobEvents } from '../jobs/events.ts'

export interface HistoryOptions {
  events: Pick<JobEvents, 'subscribe'>
  now(): Micros
  /** How many jobs run. */
  running(): number
  /** Called at each sample, and for nothing else. */
  use(): Use
}

/** What the agent's own process uses, and how busy the host is. */
export interface Use {
  /** Processor time since the call before, as a share of one processor. */
  cpu: number
  residentBytes: number
  /** Of the host: the average of the last minute. */
  load: number
}

/** How things were at a moment, and how many jobs came and went since the sample before. */
export interface Sample extends Use, Counts {
  time: Micros
  running: number
}

interface Counts {
  started: number
  /** In whatever state. */
  ended: number
  /** Of those that have ended. */
  failed: number
  rejected: number
}

export interface History {
  everyMs: number
  /** At most an hour, the oldest first; never empty. */
  samples: Sample[]
}

/** Takes a sample now and every 15 seconds, and keeps those of the last hour, in memory. */
export const createHistory = ({ events, now, running, use }: HistoryOptions) => {
  const ring: Sample[] = []
  let taken = 0
  let counts = none()

  const take = (): void => {
    ring[taken % MOST] = { time: now(), running: running(), ...counts, ...use() }
    taken++
    counts = none()
  }

  const unsubscribe = events.subscribe((event: JobEvent) => {
    if (event.kind === 'started') counts.started++
    else if (event.kind === 'rejected') counts.rejected++
    else if (event.kind === 'ended') {
      counts.ended++
      if (event.job.state === 'failed') counts.failed++
    }
  })
  take()
  const timer = setInterval(take, EVERY_MS)
  timer.unref()

  return {
    read(): History {
      const oldest = taken > MOST ? taken % MOST : 0
      return { everyMs: EVERY_MS, samples: [...ring.slice(oldest), ...ring.slice(0, oldest)] }
    },

    close(): void {
      clearInterval(timer)
      unsubscribe()
    },
  }
}

const none = (): Counts => ({ started: 0, ended: 0, failed: 0, rejected: 0 })

const EVERY_MS = 15_000
const MOST = 3_600_000 / EVERY_MS
