import { createPassingMap } from '../base/passing-map.ts'
import type { RunningJob } from './job.ts'

export interface StartRecordsOptions {
  /** Records starts of running jobs, all of them or none. Never throws. */
  write(jobs: readonly RunningJob[]): void
  /** How long a start may wait, in milliseconds. */
  lateMs?: number
}

/**
 * The pid and the start time of a job are recorded some milliseconds after its start, or when somebody is about to be told
 * of them: most jobs have ended by then, and their ends have both. Whoever finds a lost job knows its processes by their
 * mark, and needs neither.
 */
export const createStartRecords = ({ write, lateMs = LATE_MS }: StartRecordsOptions) => {
  /** By the ids of the jobs; the oldest first. */
  const waiting = createPassingMap<string, { job: RunningJob; dueAt: number }>()
  let timer: NodeJS.Timeout | undefined

  const writeDue = (): void => {
    timer = undefined
    const now = performance.now()
    const due = waiting.values().filter(({ dueAt }) => dueAt <= now)
    writeAll(due.map(({ job }) => job))
    const [next] = waiting.values()
    if (next) schedule(next.dueAt - now)
  }

  const schedule = (ms: number): void => {
    timer ??= setTimeout(writeDue, Math.max(1, Math.ceil(ms))).unref()
  }

  const writeAll = (jobs: readonly RunningJob[]): void => {
    if (jobs.length === 0) return
    for (const { id } of jobs) waiting.delete(id)
    write(jobs)
  }

  return {
    add(job: RunningJob): void {
      waiting.set(job.id, { job, dueAt: performance.now() + lateMs })
      schedule(lateMs)
    },

    /** It has ended. */
    forget: (id: string): void => void waiting.delete(id),

    /** Records what waits, at once. */
    flush: (): void => writeAll(waiting.values().map(({ job }) => job)),

    close: (): void => clearTimeout(timer),
  }
}

/** Longer than what ends at once, shorter than what a person notices. */
const LATE_MS = 20
