import { within } from '../../../lib/base/within.ts'
import { labelText } from '../../../lib/fleet/names.ts'
import {
  claimed,
  defended,
  isLoss,
  newQueuedJob,
  runEnded,
  startedAs,
} from '../../../lib/fleet/queue/changes.ts'
import {
  contentOf,
  factsOfMessage,
  fingerprintOf,
  parseMessage,
  type QueuedMessage,
} from '../../../lib/fleet/queue/message.ts'
import type { QueuedJob, RunEnd } from '../../../lib/fleet/queue/queued-job.ts'
import { headersOf } from '../../../lib/fleet/wire.ts'
import type { JobEvents } from '../../../lib/jobs/events.ts'
import { type AttemptOptions, createAttempt } from './attempt.ts'
import type { Delivery } from './delivery.ts'
import { createDoubter } from './doubter.ts'
import { AGAIN_MS, createFates, type Fates, type FatesOptions } from './fates.ts'
import { createLiveRun, type LiveRun } from './live-run.ts'
import type { Slot } from './slots.ts'

export interface RunnerOptions
  extends Omit<AttemptOptions, keyof Fates | 'recordEnd' | 'end' | 'doubt'>,
    Omit<FatesOptions, 'end'> {
  /** Another number after each break of the connection. */
  connectionNumber(): number
  events: Pick<JobEvents, 'subscribe'>
  /** What the queue needs on the engine may be missing. */
  onTrouble(): void
}

/** Runs what comes from the queue, one job a message. */
export const createRunner = (options: RunnerOptions) => {
  const { host, records, deadLetter, find, events, onTrouble, count, log } = options
  /** Those that this agent is at, by their ids. */
  const live = new Map<string, LiveRun>()
  /** The jobs whose ends were recorded lately. */
  const recorded = new Set<string>()
  let tellIdle = (): void => {}
  const closing = new AbortController()

  const unsubscribe = events.subscribe(event => {
    if (event.kind === 'created' && event.job.queue !== null)
      live.get(event.job.queue.id)?.becomes(event.job.id)
  })

  const end = (run: LiveRun): void => {
    run.close()
    if (live.get(run.id) === run) live.delete(run.id)
    if (live.size === 0) tellIdle()
  }

  const recordEnd = async (
    id: string,
    number: number,
    jobId: string,
    runEnd: RunEnd,
  ): Promise<QueuedJob | undefined> => {
    const changed = await records.change(id, job => {
      // Where the record was lost, another's run may have this number.
      if (job.runs[number - 1]?.host !== host) return undefined
      return runEnded(startedAs(job, number, jobId) ?? job, number, runEnd)
    })
    return changed?.job
  }

  /** What has run to its end is not run again where its record was lost: undefined where another is quicker. */
  const recordAnew = async (
    { message, delivery }: LiveRun,
    jobId: string,
    runEnd: RunEnd,
  ): Promise<QueuedJob | undefined> => {
    const [fingerprint, content] = await Promise.all([fingerprintOf(message), contentOf(message)])
    const facts = factsOfMessage(message, delivery().from, { fingerprint, content, nowMs: Date.now() })
    const begun = startedAs(claimed(newQueuedJob(facts), host, runEnd.at)!, 1, jobId)!
    const ended = runEnded(begun, 1, runEnd)!
    return (await records.set(ended, 0)) === undefined ? undefined : ended
  }

  const fates = createFates({ deadLetter, end, count, log })
  const doubt = createDoubter({ ...options, signal: closing.signal })
  const attempt = createAttempt({ ...options, ...fates, recordEnd, end, doubt })

  /** Takes back what another agent doubts of a run that goes on here. */
  const defend = (run: LiveRun): void => {
    if (run.number === 0) return
    records
      .change(run.id, job => (run.isClosed() ? undefined : defended(job, host, run.number)))
      .then(changed => {
        if (changed?.isChanged) log.info({ queueId: run.id }, 'a queued job was doubted, and goes on here')
      })
      // With the next word.
      .catch(() => {})
  }

  const run = async (one: LiveRun, message: QueuedMessage): Promise<void> => {
    try {
      await attempt(one, message)
    } catch (err) {
      if (live.get(one.id) !== one) return
      log.warn({ queueId: one.id, err }, 'a queued job could not be taken: its message comes again')
      onTrouble()
      // A job that runs nevertheless tells of its end by itself.
      const jobId = one.jobId()
      if (jobId !== undefined && find(jobId)?.state === 'running') return
      one.delivery().giveBack(AGAIN_MS)
      end(one)
    }
  }

  const recordAndSettle = async (
    id: string,
    number: number,
    jobId: string,
    runEnd: RunEnd,
  ): Promise<void> => {
    const one = live.get(id)?.jobId() === jobId ? live.get(id) : undefined
    if (one) one.runEnd = runEnd
    const record = await recordEnd(id, number, jobId, runEnd)
      .then(found => found ?? (one && !isLoss(runEnd) ? recordAnew(one, jobId, runEnd) : undefined))
      .catch(error => {
        onTrouble()
        throw error
      })
    recorded.add(jobId)
    if (recorded.size > MOST_RECORDED) recorded.delete(recorded.values().next().value!)
    if (!one || one.isClosed() || one.isSettled) return
    one.isSettled = true
    // Another agent runs it by now: what is said of the message is for that one to say.
    if (record?.state === 'running') end(one)
    else await fates.settle(one, record)
  }

  /** Once more, where it could not be recorded: whoever else is to do that may have given it up. */
  const tellEnd = async (one: LiveRun): Promise<void> => {
    const jobId = one.jobId()
    if (jobId === undefined || !one.runEnd) return
    await recordAndSettle(one.id, one.number, jobId, one.runEnd).catch(() => {})
  }

  return {
    /** The slot is released as soon as the message needs none that is not taken yet. */
    async take(delivery: Delivery, slot: Slot): Promise<void> {
      const message = parseMessage(headersOf(delivery.message), delivery.message.data)
      if (!message) {
        await fates.putAside(delivery, 'message-malformed')
        return slot.release()
      }
      const earlier = live.get(message.id)
      if (earlier) {
        // Its agent was silent for too long, and is here.
        if (await isSame(message, delivery, earlier)) earlier.redelivered(delivery)
        // Which of them is the job, its record says; later, for this agent is at the other.
        else delivery.giveBack(AGAIN_MS)
        return slot.release()
      }
      const one = createLiveRun({
        message,
        delivery,
        slot,
        onJob(jobId) {
          records
            .change(message.id, job => startedAs(job, one.number, jobId))
            .catch(err =>
              log.warn({ queueId: message.id, err }, 'the id of a queued job could not be recorded'),
            )
        },
        onBeat() {
          defend(one)
          void tellEnd(one)
        },
      })
      live.set(message.id, one)
      await run(one, message)
    },

    /**
     * Records the end of a run, once and for all, and says so to the engine. Rejects when the engine does not answer;
     * to be called again then.
     */
    recordEnd: recordAndSettle,

    /** Whether it is known that the end of a job was recorded. */
    isRecorded: (jobId: string): boolean => recorded.has(jobId),

    /** Until when a queued job that this agent is at may be taken; undefined for another one. */
    expiryOf: (id: string): number | undefined => live.get(id)?.expiresAt,

    /** Says at once of all that this agent is at it, or how it has ended. */
    inProgress(): void {
      for (const one of live.values()) one.beat()
    },

    countLive: (): number => live.size,

    /** Resolves when this agent is at none any more, or after `ms` milliseconds. */
    async idle(ms: number): Promise<void> {
      closing.abort()
      if (live.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      tellIdle = resolve
      await within(promise, ms)
    },

    /** Says nothing to the engine any more: it gives what is left to others in time. */
    close(): void {
      unsubscribe()
      for (const one of live.values()) one.close()
      live.clear()
    },
  }
}

const isSame = async (message: QueuedMessage, { from }: Delivery, earlier: LiveRun): Promise<boolean> =>
  labelText(from.label) === labelText(earlier.delivery().from.label) &&
  (await fingerprintOf(message)) === (await fingerprintOf(earlier.message))

const MOST_RECORDED = 1000
