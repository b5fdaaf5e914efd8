import { afterLoss, claimed, died, suspected } from './changes.ts'
import { isFinal, type QueuedJob } from './queued-job.ts'

/** What an agent that was given a message of a queued job does with it. */
export type NextStep =
  /** Runs it, once `job` is recorded. */
  | { act: 'run'; job: QueuedJob }
  /** Acknowledges the message: the job has an end. */
  | { act: 'acknowledge' }
  /** Puts the message aside: it is not the one that the job came as. */
  | { act: 'put-aside' }
  /** Records `job`, which is dead. */
  | { act: 'bury'; job: QueuedJob }
  /** Records `job`, and looks whether its agent says that it lives; see doubt.ts. */
  | { act: 'doubt'; job: QueuedJob }
  /** Records `job`, which waits again: the agent that ran it is gone. */
  | { act: 'release'; job: QueuedJob }
  /** Says nothing of the message: another agent is at it. */
  | { act: 'leave' }

export interface Situation {
  /** Who was given the message. */
  host: string
  fingerprint: string
  nowMs: number
  /** Of the record as it is. */
  revision: number
  /** Of the record that a doubt of this agent was over with; undefined where it has doubted nothing yet. */
  doubted?: number | undefined
}

/**
 * What is to be done with a message that has come, by what is recorded of its job. A run is doubted also where it has
 * the name of this agent: another one may have had that name.
 */
export const nextStep = (
  job: QueuedJob,
  { host, fingerprint, nowMs, revision, doubted }: Situation,
): NextStep => {
  if (job.fingerprint !== fingerprint) return { act: 'put-aside' }
  if (isFinal(job)) return { act: 'acknowledge' }
  const at = new Date(nowMs).toISOString()
  if (job.state === 'running') {
    if (doubted === undefined) return { act: 'doubt', job: suspected(job, at)! }
    // Whoever has changed it since is at it.
    if (doubted !== revision) return { act: 'leave' }
    const released = afterLoss(job, at)
    return { act: isFinal(released) ? 'bury' : 'release', job: released }
  }
  if (nowMs > Date.parse(job.expiresAt)) return { act: 'bury', job: died(job, 'expired', at)! }
  return { act: 'run', job: claimed(job, host, at)! }
}
