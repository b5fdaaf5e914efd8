import type { RunEnd } from '../../../lib/fleet/queue/queued-job.ts'
import type { EndedJob, Job } from '../../../lib/jobs/job.ts'

/** How a run has ended, from the job that it was. */
export const runEndOf = (job: EndedJob): RunEnd => runEndAt(job, new Date(Math.floor(job.finishTime / 1000)))

/** The same where the job is told of with its end. */
export const runEndAt = (
  { state, reason, exitCode, signal, error }: Omit<RunEnd, 'at'>,
  at: Date,
): RunEnd => ({
  state,
  reason,
  exitCode,
  signal,
  error: error.slice(0, LONGEST_ERROR),
  at: at.toISOString(),
})

export const isEnded = (job: Job): job is EndedJob => job.state !== 'running' && job.state !== 'rejected'

const LONGEST_ERROR = 1000
