import { type DeadReason, endedRun, type QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import { exitCodeOf, NEWDT_FAILED } from './exit-code.ts'
import { hintFor } from './failure.ts'
import { printable } from './format.ts'

/** The exit code of a queued job that is final: that of its run, 125 when no run has come to an end. */
export const exitCodeOfQueued = (job: QueuedJob): number => {
  const run = endedRun(job)
  if (run) return exitCodeOf(run.end as Parameters<typeof exitCodeOf>[0])
  return job.state === 'canceled' ? 1 : NEWDT_FAILED
}

/**
 * As it is by now: what waits although its time is over is never begun. The engine may keep it as waiting until an agent
 * comes. One that has taken it just before has a moment to say so.
 */
export const byNow = (job: QueuedJob, now = Date.now()): QueuedJob =>
  job.state === 'waiting' && now > Date.parse(job.expiresAt) + GRACE_MS ? asExpired(job) : job

/** When `byNow` may change, in milliseconds from now. */
export const untilExpired = ({ expiresAt }: QueuedJob, now = Date.now()): number =>
  Math.max(0, Date.parse(expiresAt) + GRACE_MS + 1 - now)

const asExpired = (job: QueuedJob): QueuedJob => ({
  ...job,
  state: 'dead',
  reason: 'expired',
  word: '',
  at: job.expiresAt,
})

const GRACE_MS = 10_000

/** Why it has no end of its own, and what to do next; undefined where it has one. */
export const queuedEndLine = (job: QueuedJob): string | undefined => {
  if (job.state === 'canceled') return `queued job ${job.id} was canceled`
  if (job.state !== 'dead') return undefined
  const word = job.word === '' ? '' : `: ${job.word}`
  return `queued job ${job.id} ${DEATHS[job.reason]}${word}; ${cureOf(job)}`
}

/** What to do next. */
const cureOf = ({ id, reason, word }: Extract<QueuedJob, { state: 'dead' }>): string => {
  // No agent may have seen it, and so put it where retry finds it.
  if (reason === 'expired') return 'submit it again, with a later --expires where none has room for long'
  const hint = reason === 'refused' ? hintFor(word) : undefined
  return hint === undefined ? `newdt queue retry ${id}` : `${hint}; then submit it again`
}

/** "success on db1", "failed on db1 (exit status 3)", "dead (lost)"; its state while it is not final. */
export const queuedHow = (job: QueuedJob): string => {
  const run = endedRun(job)
  if (run)
    return printable(`${run.end.state} on ${run.host}${run.end.error === '' ? '' : ` (${run.end.error})`}`)
  if (job.state === 'dead') return `dead (${job.reason}${job.word === '' ? '' : `: ${job.word}`})`
  return job.state
}

const DEATHS: Record<DeadReason, string> = {
  expired: 'has expired before any host had a free slot',
  'too-many-tries': 'was begun as often as it may, and never came to an end',
  lost: 'was lost with its agent, and is not run again',
  refused: 'was refused by the agent that took it',
}
