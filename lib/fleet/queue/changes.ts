import {
  type DeadReason,
  isFinal,
  type QueuedFacts,
  type QueuedJob,
  type QueuedRun,
  type RunEnd,
} from './queued-job.ts'

/*
 * What may happen to a queued job. Each function gives the job as it is then, or undefined where that cannot happen to
 * it any more. A job that is final stays as it is, but for the ends of runs that come late.
 */

type NewJob = Omit<QueuedFacts, 'runs' | 'passes'>

export const newQueuedJob = (facts: NewJob): QueuedJob => ({
  ...facts,
  runs: [],
  passes: 0,
  state: 'waiting',
})

/** An agent begins another run of it. */
export const claimed = (job: QueuedJob, host: string, at: string): QueuedJob | undefined => {
  if (isFinal(job)) return undefined
  const run = { host, job: null, startedAt: at, end: null }
  return { ...factsOf(job), runs: [...job.runs, run], state: 'running', suspectedAt: null }
}

/** The run has become a job of its agent. */
export const startedAs = (job: QueuedJob, number: number, jobId: string): QueuedJob | undefined => {
  const run = job.runs[number - 1]
  return run?.job === null && run.end === null ? withRun(job, number, { ...run, job: jobId }) : undefined
}

/** The newest run was none: its agent had no slot for it after all. */
export const givenBack = (job: QueuedJob, number: number): QueuedJob | undefined => {
  if (isFinal(job) || job.runs.length !== number) return undefined
  return { ...factsOf(job), runs: job.runs.slice(0, -1), state: 'waiting' }
}

/** Somebody else was given the message of a job that runs. */
export const suspected = (job: QueuedJob, at: string): QueuedJob | undefined =>
  job.state === 'running' ? { ...job, suspectedAt: at } : undefined

/** The agent of its newest run says that it is at it; undefined where nobody doubts that. */
export const defended = (job: QueuedJob, host: string, number: number): QueuedJob | undefined =>
  job.state === 'running' && job.suspectedAt !== null && isNewestRun(job, host, number)
    ? { ...job, suspectedAt: null }
    : undefined

/** Whether nobody has taken it over from this run. */
export const isNewestRun = (job: QueuedJob, host: string, number: number): boolean =>
  job.state === 'running' && job.runs.length === number && job.runs[number - 1]?.host === host

/**
 * A run has come to an end. The first end is the job's; one of another run is only noted with that run. An end by which
 * the agent was lost or stopped is none: what comes of the job then, `afterLoss` says.
 */
export const runEnded = (job: QueuedJob, number: number, end: RunEnd): QueuedJob | undefined => {
  const run = job.runs[number - 1]
  if (!run || run.end !== null) return undefined
  const noted = withRun(job, number, { ...run, end })
  if (isFinal(job)) return noted
  if (!isLoss(end)) return { ...factsOf(noted), state: 'ended', by: number }
  return number === job.runs.length && job.state === 'running' ? afterLoss(noted, end.at) : noted
}

/** Its newest run will have no end: it waits for another one, unless it must not have that. */
export const afterLoss = (job: QueuedJob, at: string): QueuedJob => {
  if (job.once) return died(job, 'lost', at)!
  if (job.runs.length >= job.tries) return died(job, 'too-many-tries', at)!
  return { ...factsOf(job), state: 'waiting' }
}

export const isLoss = ({ reason }: Pick<RunEnd, 'reason'>): boolean =>
  reason === 'agent-lost' || reason === 'agent-stopped'

/** An agent that has run it already gives it back for others; not while one of them runs it. */
export const passed = (job: QueuedJob, at: string): QueuedJob | undefined => {
  if (job.state !== 'waiting') return undefined
  const passes = job.passes + 1
  return passes >= MOST_PASSES ? died({ ...job, passes }, 'too-many-tries', at) : { ...job, passes }
}

export const died = (job: QueuedJob, reason: DeadReason, at: string, word = ''): QueuedJob | undefined =>
  isFinal(job) ? undefined : { ...factsOf(job), state: 'dead', reason, word, at }

/** Only one that waits: a run is ended by its agent. */
export const canceledInQueue = (job: QueuedJob, at: string): QueuedJob | undefined =>
  job.state === 'waiting' ? { ...factsOf(job), state: 'canceled', at } : undefined

const withRun = (job: QueuedJob, number: number, run: QueuedRun): QueuedJob => ({
  ...job,
  runs: job.runs.with(number - 1, run),
})

/** What it has in every state. */
const factsOf = (job: QueuedJob): QueuedFacts => ({
  id: job.id,
  label: job.label,
  priority: job.priority,
  once: job.once,
  tries: job.tries,
  limit: job.limit,
  summary: job.summary,
  fingerprint: job.fingerprint,
  content: job.content,
  createdAt: job.createdAt,
  expiresAt: job.expiresAt,
  runs: job.runs,
  passes: job.passes,
})

/** With the pauses between them: some minutes in which no other agent has had a free slot for it. */
export const MOST_PASSES = 30
