import type { Log } from '../../../lib/base/log.ts'
import { labelText } from '../../../lib/fleet/names.ts'
import { died, givenBack, isLoss, newQueuedJob, passed } from '../../../lib/fleet/queue/changes.ts'
import {
  contentOf,
  factsOfMessage,
  fingerprintOf,
  type QueuedMessage,
} from '../../../lib/fleet/queue/message.ts'
import { nextStep } from '../../../lib/fleet/queue/next-step.ts'
import { isFinal, isUnproven, type QueuedJob, type RunEnd } from '../../../lib/fleet/queue/queued-job.ts'
import type { QueueRecords } from '../../../lib/fleet/queue/records.ts'
import type { Job } from '../../../lib/jobs/job.ts'
import { type Claim, createClaims } from './claims.ts'
import type { Doubter } from './doubter.ts'
import { AGAIN_MS, type Fates } from './fates.ts'
import type { LeaseTurns } from './lease-turns.ts'
import type { LiveRun } from './live-run.ts'
import { isEnded, runEndOf } from './run-end.ts'
import type { Submit } from './submit.ts'
import type { Taken } from './taken.ts'

export interface AttemptOptions extends Fates {
  host: string
  records: QueueRecords
  turns: LeaseTurns
  /** Has the agent itself run it, as if it had come directly. */
  submit: Submit
  /** A job of this agent; undefined when there is none any more. */
  find(jobId: string): Job | undefined
  /** Resolves when a job of this agent has ended. */
  ended(jobId: string): Promise<void>
  /** The record with the end in it; undefined where there is none. */
  recordEnd(id: string, number: number, jobId: string, end: RunEnd): Promise<QueuedJob | undefined>
  doubt: Doubter
  /** This agent is at it no more. */
  end(run: LiveRun): void
  count(what: Taken): void
  log: Log
}

/** Makes a job of what has come, or finds out why there is to be none. Rejects when the engine does not answer. */
export const createAttempt = (options: AttemptOptions) => {
  const { host, records, turns, submit, find, ended, recordEnd, doubt, end, count, log } = options
  const { settle, drop, putAside } = options
  const claims = createClaims(host, records)

  /** This agent has run it already: what has become of that is what there is. */
  const comeBack = async (run: LiveRun, number: number, job: Job): Promise<void> => {
    run.becomes(job.id)
    run.number = number
    if (job.state === 'running') {
      await ended(job.id)
      const known = find(job.id)
      if (known && known.state !== 'running') return comeBack(run, number, known)
      run.delivery().giveBack(AGAIN_MS)
      return end(run)
    }
    const runEnd = isEnded(job) ? runEndOf(job) : undefined
    const record = runEnd && (await recordEnd(run.id, number, job.id, runEnd))
    // What has run to its end is not run again, even where nobody knows of it any more.
    if (runEnd && !isLoss(runEnd) && !(record && isFinal(record))) return drop(run)
    if (record && isFinal(record)) return settle(run, record)
    const given = await records.change(run.id, one => passed(one, new Date().toISOString()))
    count('passed')
    await settle(run, given?.job, passMs(given?.job.passes ?? 1))
  }

  const refused = async (run: LiveRun, number: number, status: number, word: string): Promise<void> => {
    const at = new Date().toISOString()
    const isPassing = status === 429 || status >= 500 || PASSING.has(word)
    const changed = await records.change(run.id, job => {
      const back = givenBack(job, number)
      if (!back || isPassing) return back
      return word === 'signature-expired' ? died(back, 'expired', at) : died(back, 'refused', at, word)
    })
    if (isPassing) count('given-back')
    log.info(
      { queueId: run.id, status, error: word },
      isPassing ? 'a queued job is given back' : 'a queued job is refused',
    )
    if (changed?.job.state === 'running') return end(run)
    await settle(run, changed?.job, BUSY_MS * (1 + Math.random()))
  }

  const begin = async (run: LiveRun, message: QueuedMessage, number: number, claim: Claim): Promise<void> => {
    run.number = number
    if (!(await claim.isOurs())) return end(run)
    count(number === 1 ? 'run' : 'run-again')
    const answer = await submit(message, run.delivery().from.label, { id: run.id, try: number })
    if ('word' in answer) return refused(run, number, answer.status, answer.word)
    if (run.jobId() !== undefined) return
    // No job was created: an earlier one has this id.
    const job = find(answer.jobId)
    if (!job) return settle(run, undefined, AGAIN_MS)
    await comeBack(run, number, job)
  }

  /** The newest run of it that was a job here which is still known. */
  const ownRun = ({ id, runs }: QueuedJob): { number: number; job: Job } | undefined => {
    for (let number = runs.length; number > 0; number--) {
      const run = runs[number - 1]!
      const job = run.host === host && run.job !== null ? find(run.job) : undefined
      if (job && (job.queue === null || job.queue.id === id)) return { number, job }
    }
    return undefined
  }

  return async (run: LiveRun, message: QueuedMessage): Promise<void> => {
    const { from } = run.delivery()
    const [fingerprint, content] = await Promise.all([fingerprintOf(message), contentOf(message)])
    let doubted: number | undefined
    let hasWaited = false
    for (let tries = 0; tries < MOST_LOOKS; tries++) {
      const { job: found, revision } = await records.get(run.id)
      const now = Date.now()
      const isSame = found?.fingerprint === fingerprint && found.label === labelText(from.label)
      // What was signed counts, whatever the record says.
      const job = isSame
        ? { ...found, ...message.parameters }
        : found && !isUnproven(found)
          ? found
          : newQueuedJob(factsOfMessage(message, from, { fingerprint, content, nowMs: now }))
      const own = isSame && !isFinal(job) ? ownRun(job) : undefined
      // Where another agent has begun a newer run, it is first to be known whether that goes on.
      if (own && (job.state !== 'running' || own.number === job.runs.length))
        return comeBack(run, own.number, own.job)
      const step = nextStep(job, { host, fingerprint, nowMs: now, revision, doubted })
      if (step.act === 'put-aside') {
        await putAside(run.delivery(), 'id-used')
        return end(run)
      }
      if (step.act === 'leave') return end(run)
      if (step.act === 'acknowledge') {
        count('done')
        return settle(run, job)
      }
      if (step.act === 'run' && job.limit !== null && !run.hasLease()) {
        const found = await turns.get(run, job.limit)
        if (!found) {
          count('limited')
          return settle(run, job, turns.backMs())
        }
        run.hold(found.lease)
        hasWaited ||= found.hasWaited
        if (found.hasWaited) continue
      }
      // Another agent has it now, which tells the engine so.
      if (step.act === 'doubt' && hasWaited) return end(run)
      if (step.act === 'run') {
        const claim = await claims.claim(run, step.job, revision)
        if (!claim) continue
        return begin(run, message, step.job.runs.length, claim)
      }
      const recorded = await records.set(step.job, revision)
      if (recorded === undefined) continue
      if (step.act === 'bury') return settle(run, step.job)
      if (step.act === 'release') continue
      count('doubted')
      await doubt(run.id, recorded, from.ackWaitMs)
      doubted = recorded
    }
    run.delivery().giveBack(AGAIN_MS)
    end(run)
  }
}

/** Refusals of this agent that say nothing of the message; see also 429 and 5xx. */
const PASSING = new Set(['signature-ahead', 'clock-set-back', 'too-many-guesses', 'nonce-not-remembered'])

const MOST_LOOKS = 10
const BUSY_MS = 500

/** Between times that an agent is given what it has run already: the other agents are to find a free slot meanwhile. */
const passMs = (passes: number): number => Math.min(15_000, 250 * 2 ** passes) * (0.5 + Math.random() / 2)
