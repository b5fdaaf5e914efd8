import { failure } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Ballast } from '../store/ballast.ts'
import type { IdempotencyKey, JobStore } from '../store/job-store.ts'
import type { NewOutboxEntry, OutboxStore } from '../store/outbox-store.ts'
import type { OutputStore, OutputTotals } from '../store/output-store.ts'
import type { Retention } from '../store/retention.ts'
import type { JobEvent, JobEvents } from './events.ts'
import type { EndedJob, RejectedJob, RunningJob } from './job.ts'
import { createStartRecords } from './start-records.ts'

export interface LifecycleOptions {
  jobStore: JobStore
  outputStore: Pick<OutputStore, 'storedBytes'>
  retention: Pick<Retention, 'added'>
  /** Room on the disk for the ends of jobs. */
  ballast: Pick<Ballast, 'isHeld' | 'giveUp'>
  events: Pick<JobEvents, 'emit'>
  /** For those who must be told of events whatever comes; absent where there are none. */
  outgoing?: Outgoing | undefined
  log: Log
}

export interface Outgoing {
  /** Whom to tell what of an event. */
  of(event: JobEvent): readonly NewOutboxEntry[]
  store: Pick<OutboxStore, 'addWith'>
}

/** An end that the store has not taken yet. */
export interface UnstoredEnd {
  number: number
  job: EndedJob
  totals: OutputTotals
  /** Who is told of it; stored with it. */
  outgoing: readonly NewOutboxEntry[]
}

/**
 * The one place where jobs are created, started, ended and rejected: it records each step and emits its event. Of
 * these only `create` can fail. An end that cannot be stored is kept in memory, and tried again every second. Who must
 * be told of a step is stored with it.
 */
export const createLifecycle = (options: LifecycleOptions) => {
  const { jobStore, outputStore, retention, ballast, events, outgoing, log } = options
  const unstored = new Map<string, UnstoredEnd>()
  let retry: NodeJS.Timeout | undefined

  const entriesOf = (event: JobEvent): readonly NewOutboxEntry[] => {
    try {
      return outgoing?.of(event) ?? NOBODY
    } catch (error) {
      log.error({ jobId: event.job.id, err: error }, 'what is to be told of a job could not be composed')
      return NOBODY
    }
  }

  /** Does a step, and stores who is told of it, or throws and does neither. */
  const withEntries = <T>(entries: readonly NewOutboxEntry[], step: () => T): T =>
    outgoing && entries.length > 0 ? outgoing.store.addWith(entries, step) : step()

  const storeStarts = (jobs: readonly RunningJob[], entries = NOBODY): void => {
    const started = jobs.map(({ id, pid, startTime, createTime }) => ({
      id,
      pid,
      startTime: startTime ?? createTime,
    }))
    try {
      withEntries(entries, () => jobStore.markStarted(started))
    } catch (error) {
      const jobIds = started.map(({ id }) => id)
      log.error({ jobIds, err: error }, 'the starts of jobs could not be stored')
    }
  }
  const startRecords = createStartRecords({ write: storeStarts })

  const store = (end: UnstoredEnd): void => {
    const { number, job, totals } = end
    const outputBytes = totals.keptBytes === 0 ? 0 : outputStore.storedBytes(number)
    const storedBytes = outputBytes + longTextBytes(job)
    withEntries(end.outgoing, () => jobStore.finish(job, totals, storedBytes))
    retention.added({ storedBytes, rejected: false })
  }

  /** Undefined when it is stored, else the error. */
  const tryToStore = (end: UnstoredEnd): unknown => {
    try {
      store(end)
      return undefined
    } catch (error) {
      // Once more with the room that is kept for this.
      return ballast.giveUp() ? tryToStore(end) : error
    }
  }

  const storeAgain = (): void => {
    retry = undefined
    for (const [id, end] of unstored) if (tryToStore(end) === undefined) unstored.delete(id)
    if (unstored.size > 0) scheduleRetry()
    else log.info({}, 'the ends of all jobs are stored again')
  }

  const scheduleRetry = (): void => {
    retry ??= setTimeout(storeAgain, RETRY_MS).unref()
  }

  /** Throws AgentError not-stored when there is no room for a job. */
  const assertRoom = (): void => {
    if (!ballast.isHeld()) throw failure('not-stored')
  }

  return {
    assertRoom,

    /** Stores a job before anything of it runs; returns its number. Throws AgentError not-stored. */
    create(job: RunningJob, mark: number, key?: IdempotencyKey): number {
      try {
        assertRoom()
        const event = { kind: 'created', job } as const
        const number = withEntries(entriesOf(event), () => jobStore.insert(job, mark, key))
        events.emit(event)
        return number
      } catch (error) {
        log.error({ jobId: job.id, err: error }, 'a job could not be stored and is not run')
        throw failure('not-stored')
      }
    },

    /** Its process runs, as its pid and start time say. */
    start(job: RunningJob): void {
      const event = { kind: 'started', job } as const
      const entries = entriesOf(event)
      if (entries.length > 0) storeStarts([job], entries)
      else startRecords.add(job)
      events.emit(event)
    },

    /** Records the starts of all running jobs, if that is not done yet: somebody is about to be told of them. */
    recordStarts: startRecords.flush,

    /** Never throws, whatever the store does. */
    end(number: number, job: EndedJob, totals: OutputTotals): void {
      startRecords.forget(job.id)
      const event = { kind: 'ended', job, totals } as const
      const end = { number, job, totals, outgoing: entriesOf(event) }
      const error = tryToStore(end)
      if (error !== undefined) {
        log.error({ jobId: job.id, err: error }, 'the end of a job could not be stored; it is tried again')
        unstored.set(job.id, end)
        scheduleRetry()
      }
      events.emit(event)
    },

    /** All slots are taken by `running` jobs. Never throws. */
    reject(job: RejectedJob, running: number): void {
      const event = { kind: 'rejected', job, running } as const
      try {
        withEntries(entriesOf(event), () => jobStore.insert(job, 0))
        retention.added({ storedBytes: 0, rejected: true })
      } catch (error) {
        log.error({ jobId: job.id, err: error }, 'a rejection could not be stored')
      }
      events.emit(event)
    },

    /** A job that has ended, where the store still says that it runs. */
    findUnstored: (id: string): UnstoredEnd | undefined => unstored.get(id),

    /** Tries to store what is left, once; then nothing is tried any more. What stays unstored counts as lost. */
    close(): void {
      startRecords.close()
      clearTimeout(retry)
      let error: unknown
      for (const [id, end] of unstored) {
        const fault = tryToStore(end)
        if (fault === undefined) unstored.delete(id)
        else error = fault
      }
      if (unstored.size > 0)
        log.error({ err: error, jobs: unstored.size }, 'the ends of jobs could not be stored')
    },
  }
}

export type Lifecycle = ReturnType<typeof createLifecycle>

/** A long command counts as output does; an ordinary one counts as nothing, so that a limit of 0 keeps its job. */
const longTextBytes = ({ cmd, params }: EndedJob): number => {
  const letters = cmd.length + params.length
  return letters > SHORT_TEXT ? letters : 0
}

const NOBODY: readonly NewOutboxEntry[] = []

const SHORT_TEXT = 4096
const RETRY_MS = 1000
