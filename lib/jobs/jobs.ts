import type { Clock } from '../base/clock.ts'
import { errors, tooManyJobsMessage } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Capture, createCapture } from '../output/capture.ts'
import { createNotifier, type Notifier } from '../output/notifier.ts'
import { createOutputViews } from '../output/view.ts'
import type { Processes } from '../process/types.ts'
import type { Ballast } from '../store/ballast.ts'
import type { IdempotencyKey, JobStore } from '../store/job-store.ts'
import type { OutputStore } from '../store/output-store.ts'
import type { Retention } from '../store/retention.ts'
import { type Execution, execute, type StopReason } from './execution.ts'
import type { EndedJob, JobFacts, JobJson, JobRequest, RunningJob } from './job.ts'
import { newFacts } from './new-facts.ts'
import type { Slots } from './slots.ts'
import { createJobViews } from './views.ts'

export interface JobsOptions {
  slots: Slots
  jobStore: JobStore
  outputStore: OutputStore
  retention: Retention
  /** Room on the disk for the ends of jobs. */
  ballast: Pick<Ballast, 'isHeld' | 'release'>
  processes: Processes
  clock: Clock
  log: Log
  /** What every job gets as its environment, less its id and what its request adds. */
  env: Record<string, string>
  /** Where scripts are written. */
  scriptDirectory: string
  outputLimit: number
  killGraceMs: number
}

export type Submission =
  | { id: string; rejected: false }
  /** All slots are taken by `running` jobs. */
  | { id: string; rejected: true; running: number }

/** A job that was accepted and whose end is not stored yet. */
export interface ActiveJob {
  number: number
  mark: number
  /** As it is now: the running one, then the ended one. */
  job: RunningJob | EndedJob
  capture: Capture
  /** Tells of chunks that were stored, and of the end. */
  changes: Notifier
  execution: Execution
  /** Resolves when its process runs, or when it is done because none could be started. */
  started: Promise<unknown>
  /** Resolves when its end is stored, or at least was tried to be, and its slot is free. */
  done: Promise<EndedJob>
}

/** The jobs of this agent: admission, life cycle, look-up. */
export const createJobs = (options: JobsOptions) => {
  const { slots, jobStore, outputStore, retention, ballast, processes, clock, log } = options
  const active = new Map<string, ActiveJob>()
  let closing = false

  const admit = (
    job: RunningJob,
    request: JobRequest,
    key: IdempotencyKey | undefined,
    release: () => void,
  ) => {
    const mark = processes.newMark()
    const timer = clock.timer()
    job.createTime = timer.startedAt
    const number = insertOrRefuse(job, mark, key, release)
    const changes = createNotifier()
    const capture = createCapture({
      limit: request.outputLimit ?? options.outputLimit,
      onStored: changes.notify,
      onOverflow: () => {
        if (request.onOutputLimit === 'kill') execution.stop('output-limit', options.killGraceMs)
      },
      append: (chunks, superseded) => {
        // The room that is left is for how jobs end.
        if (!ballast.isHeld()) throw new Error('the disk is full')
        return outputStore.append(number, chunks, superseded)
      },
      now: timer.now,
      onError: error =>
        log.error({ jobId: job.id, err: error }, 'output could not be stored; it is tried again'),
    })
    const execution = execute({
      job,
      request,
      mark,
      capture,
      processes,
      log,
      clock: timer,
      env: options.env,
      killGraceMs: options.killGraceMs,
      onStarted: ({ id, pid, startTime }) => {
        log.info({ jobId: id, jobPid: pid }, 'job started')
        try {
          jobStore.markStarted(number, pid, startTime!)
        } catch (error) {
          log.error({ jobId: id, err: error }, 'the start of a job could not be stored')
        }
      },
    })
    const done = execution.ended.then(ended => finish(entry, ended, release))
    const started = Promise.race([execution.started, done])
    const entry: ActiveJob = { number, mark, job, capture, changes, execution, started, done }
    active.set(job.id, entry)
    return started
  }

  const insertOrRefuse = (
    job: RunningJob,
    mark: number,
    key: IdempotencyKey | undefined,
    release: () => void,
  ): number => {
    prune()
    try {
      if (!ballast.isHeld()) throw new Error('the disk is full')
      return jobStore.insert(job, mark, key)
    } catch (error) {
      release()
      log.error({ jobId: job.id, err: error }, 'a job could not be stored and is not run')
      throw errors.notStored()
    }
  }

  /** Before a new job, not after its end: it can always be looked up by whoever waits for it. */
  const prune = (): void => {
    try {
      retention.prune(Date.now(), JOBS_PRUNED_A_SUBMISSION)
    } catch (error) {
      log.error({ err: error }, 'old jobs could not be removed')
    }
  }

  const reject = (facts: JobFacts): Submission => {
    const running = slots.used()
    prune()
    try {
      jobStore.insert({ ...facts, state: 'rejected', error: tooManyJobsMessage(running) }, 0)
      retention.added(0)
    } catch (error) {
      log.error({ jobId: facts.id, err: error }, 'a rejection could not be stored')
    }
    log.warn({ jobId: facts.id, running }, 'job rejected')
    return { id: facts.id, rejected: true, running }
  }

  const finish = (entry: ActiveJob, ended: EndedJob, release: () => void): EndedJob => {
    const { id, state, exitCode, signal, reason, startTime, finishTime } = ended
    entry.job = ended
    processes.unguard(entry.mark)
    store(entry, ended)
    release()
    entry.changes.notify()
    const durationMs = Math.round((finishTime - startTime) / 1000)
    log.info({ jobId: id, state, exitCode, signal, reason, durationMs }, 'job ended')
    return ended
  }

  /** A full disk must not lose how a job ended: it stays in memory and is tried again. */
  const store = (entry: ActiveJob, ended: EndedJob): void => {
    try {
      const totals = entry.capture.totals()
      jobStore.finish(entry.number, ended, totals)
      // Whoever waits for it, and asks within this turn of the loop, needs no look at the store.
      setImmediate(() => active.delete(ended.id))
      retention.added(totals.keptBytes)
    } catch (error) {
      if (ballast.release()) store(entry, ended)
      else {
        log.error({ jobId: ended.id, err: error }, 'the end of a job could not be stored')
        if (active.has(ended.id)) setTimeout(store, RETRY_MS, entry, ended).unref()
      }
    }
  }

  const views = createJobViews({ active, jobStore, outputStore, processes, beganAt: clock.now() })

  const runningEntry = (id: string): ActiveJob => {
    const entry = active.get(id)
    if (entry?.job.state === 'running') return entry
    throw entry || jobStore.find(id) ? errors.jobEnded() : errors.unknownJob()
  }

  return {
    /**
     * Runs a job if a slot is free. Resolves when its process runs (or could not be started), with the id of
     * the first job if the key was used before. Rejects with AgentError: stopping, notStored, keyReused.
     */
    async submit(request: JobRequest, key?: IdempotencyKey): Promise<Submission> {
      if (closing) throw errors.stopping()
      if ((request.outputLimit ?? 0) > options.outputLimit)
        throw errors.outputLimitTooHigh(options.outputLimit)
      const earlier = key && jobStore.findByKey(key.key)
      if (earlier) {
        if (Buffer.compare(earlier.requestHash, key.requestHash) !== 0) throw errors.keyReused()
        await active.get(earlier.id)?.started
        return { id: earlier.id, rejected: false }
      }
      const facts = newFacts(request, options.scriptDirectory, clock)
      const release = slots.take()
      if (!release) return reject(facts)
      await admit({ ...facts, state: 'running', pid: 0, startTime: undefined }, request, key, release)
      return { id: facts.id, rejected: false }
    },

    ...views,
    ...createOutputViews({ active, jobStore, outputStore, get: views.get }),

    /**
     * Stops a job and resolves when nothing of it is left. Rejects with AgentError: unknownJob, jobEnded.
     * `graceMs` is the time between TERM and KILL.
     */
    async cancel(id: string, graceMs = options.killGraceMs): Promise<JobJson> {
      const entry = runningEntry(id)
      entry.execution.stop('canceled', graceMs)
      if ((await entry.done).reason !== 'canceled') throw errors.jobEnded()
      return (await views.get(id))!
    },

    /** Signals a running job; what it makes of it is told as it happens. Rejects with AgentError, like cancel. */
    async signal(id: string, signal: NodeJS.Signals, to: 'leader' | 'all'): Promise<JobJson> {
      const entry = runningEntry(id)
      await entry.started
      runningEntry(id) // It may have failed to start.
      await entry.execution.signal(signal, to)
      return (await views.get(id))!
    },

    countRunning: (): number => slots.used(),

    /** Accepts no more jobs, stops all that run, resolves when they have ended. */
    async close(graceMs: number, reason: StopReason = 'agent-stopped'): Promise<void> {
      closing = true
      const entries = [...active.values()]
      for (const { execution } of entries) execution.stop(reason, graceMs)
      await Promise.all(entries.map(({ done }) => done))
    },
  }
}

const RETRY_MS = 1000
const JOBS_PRUNED_A_SUBMISSION = 2
