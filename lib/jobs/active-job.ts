import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Capture, createCapture } from '../output/capture.ts'
import { createNotifier, type Notifier } from '../output/notifier.ts'
import type { Account, OpenDirectory, Processes } from '../process/types.ts'
import type { IdempotencyKey } from '../store/job-store.ts'
import type { OutputStore } from '../store/output-store.ts'
import { createExecution, type Execution } from './execution.ts'
import type { EndedJob, JobRequest, RunningJob } from './job.ts'
import type { Lifecycle } from './lifecycle.ts'

/** A job that was accepted and has not ended, or has ended just now. */
export interface ActiveJob {
  number: number
  /** As it is now: the running one, then the ended one. */
  job: RunningJob | EndedJob
  capture: Capture
  /** Tells of chunks that were stored, and of the end. */
  changes: Notifier
  execution: Execution
  /** Resolves when its process runs, or when it is done because none could be started. */
  started: Promise<unknown>
  /** Resolves when its end is recorded and its slot is free; never rejects. */
  done: Promise<EndedJob>
  /** Calls `tell` once at its end; calling the result takes it back. */
  onEnd(tell: () => void): () => void
}

export interface ActiveJobOptions {
  lifecycle: Lifecycle
  outputStore: OutputStore
  /** Whether the store has room for output. */
  hasRoom(): boolean
  processes: Processes
  log: Log
  env: Record<string, string>
  /** What jobs of other users get instead. */
  userEnv: Record<string, string>
  outputLimit: number
  killGraceMs: number
}

export interface StartOptions {
  key?: IdempotencyKey | undefined
  /** Where it runs, open until it has been started. */
  directory?: OpenDirectory | undefined
  /** Whom it runs as; as the agent itself when absent. */
  account?: Account | undefined
  timer: ReturnType<Clock['timer']>
  onDone(active: ActiveJob): void
}

/**
 * Records a job and starts it. `onDone` is called as soon as its end is recorded, before anybody else is told.
 * Throws AgentError not-stored; then nothing runs.
 */
export const startJob = (
  job: RunningJob,
  request: JobRequest,
  { key, directory, account, timer, onDone }: StartOptions,
  options: ActiveJobOptions,
): ActiveJob => {
  const { lifecycle, outputStore, processes, log, env, userEnv, killGraceMs } = options
  const running = Promise.withResolvers<void>()
  const execution = createExecution({
    job,
    request,
    directory,
    account,
    env: account ? userEnv : env,
    processes,
    clock: timer,
    killGraceMs,
    log,
    onStarted() {
      lifecycle.start(job)
      running.resolve()
    },
  })
  const number = lifecycle.create(job, execution.mark, key)
  const changes = createNotifier()
  const ends = createNotifier()
  const capture = createCapture({
    limit: request.outputLimit ?? options.outputLimit,
    onStored: changes.notify,
    onOverflow() {
      if (request.onOutputLimit === 'kill') execution.stop('output-limit', killGraceMs)
    },
    append(chunks, superseded) {
      // The room that is left is for the ends of jobs.
      if (!options.hasRoom()) throw new Error('the disk has no room, or cannot be written')
      return outputStore.append(number, chunks, superseded)
    },
    now: timer.now,
    onError: error =>
      log.error({ jobId: job.id, err: error }, 'output could not be stored; it is tried again'),
  })

  const finish = (ended: EndedJob): EndedJob => {
    active.job = ended
    lifecycle.end(number, ended, capture.totals())
    onDone(active)
    changes.notify()
    ends.notify()
    return ended
  }

  const done = execution.run(capture).then(finish)
  const active: ActiveJob = {
    number,
    job,
    capture,
    changes,
    execution,
    started: Promise.race([running.promise, done]),
    done,
    onEnd: ends.wait,
  }
  return active
}
