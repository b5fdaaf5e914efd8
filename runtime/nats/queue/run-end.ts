import type { RunEnd } from '../../../lib/fleet/queue/queued-job.ts'
import type { JobEvent } from '../../../lib/jobs/events.ts'
import type { EndedJob, Job } from '../../../lib/jobs/job.ts'

/** How a run has ended, from the job that it was. */
export const runEndOf = ({ state, reason, exitCode, signal, error, finishTime }: EndedJob): RunEnd => ({
  state,
  reason,
  exitCode,
  signal,
  error: error.slice(0, LONGEST_ERROR),
  at: new Date(Math.floor(finishTime / 1000)).toISOString(),
})

export const isEnded = (job: Job): job is EndedJob => job.state !== 'running' && job.state !== 'rejected'

/** The end of a run among the events of jobs. */
export const endOfQueued = (event: JobEvent) =>
  event.kind === 'ended' && event.job.queue !== null ? { job: event.job, queue: event.job.queue } : undefined

const LONGEST_ERROR = 1000
