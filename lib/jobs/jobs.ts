import type { Clock } from '../base/clock.ts'
import { failure } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createPassingMap } from '../base/passing-map.ts'
import type { Account, LivingProcess, OpenDirectory, Processes, SignalTarget } from '../process/types.ts'
import { type Caller, mayControl } from '../security/caller.ts'
import type { Ballast } from '../store/ballast.ts'
import type { Housekeeping } from '../store/housekeeping.ts'
import type { IdempotencyKey, JobStore } from '../store/job-store.ts'
import type { OutputStore } from '../store/output-store.ts'
import type { Retention } from '../store/retention.ts'
import { createAccounts, homeOf, userEnvironment, userOf } from './account.ts'
import { type ActiveJob, startJob } from './active-job.ts'
import { assertSameRequest, createAdmissions, ofCaller } from './admissions.ts'
import { directoryWithin, withinBounds } from './bounds.ts'
import { assertTakenByShells } from './environment.ts'
import type { StopReason } from './execution.ts'
import { newFacts } from './facts.ts'
import { type JobFacts, type JobRequest, type Queued, rejectionText } from './job.ts'
import { createJobIds } from './job-id.ts'
import type { Lifecycle } from './lifecycle.ts'
import { assertPrivilegesStay, createLimits, type LimitRules } from './limits.ts'
import { createJobLookup } from './lookup.ts'
import { openJob } from './open-job.ts'
import type { Slots } from './slots.ts'

export interface JobsOptions {
  slots: Slots
  lifecycle: Lifecycle
  jobStore: JobStore
  outputStore: OutputStore
  retention: Retention
  housekeeping: Pick<Housekeeping, 'makeRoom'>
  ballast: Pick<Ballast, 'isHeld'>
  processes: Processes
  clock: Clock
  log: Log
  /** What every job gets as its environment, less its id and what its request adds. */
  env: Record<string, string>
  /** Where scripts are written. */
  scriptDirectory: string
  /** Bytes of output that are kept of a job at most. */
  outputLimit: number
  killGraceMs: number
  /** Whom jobs may run as, as `user` or `user:group`. */
  runAs: readonly string[]
  limits: LimitRules
  /** Whether a job may have somebody told at this URL; absent where none may. */
  mayNotify?(url: string): boolean
}

export interface SubmitOptions {
  key?: IdempotencyKey | undefined
  /** For a job that a fleet's queue has given. */
  queue?: Queued | undefined
  /**
   * Called with the id of a job that is accepted, and whom it will run as ("" is the agent's own user), before anything
   * of it is stored or run. When it rejects, with an AgentError, there is no such job.
   */
  record?(id: string, user: string): Promise<void>
}

export type Submission =
  /** `repeated`: it is the job of an earlier submission with the same key. */
  | { id: string; rejected: false; repeated: boolean }
  /** All slots are taken by `running` jobs. */
  | { id: string; rejected: true; running: number }

/** The jobs of this agent: admission, look-up, control. */
export const createJobs = (options: JobsOptions) => {
  const { slots, lifecycle, jobStore, retention, housekeeping, processes, clock, killGraceMs } = options
  const active = createPassingMap<string, ActiveJob>()
  const lookup = createJobLookup({ active, lifecycle, jobStore, processes })
  const openOptions = { ...options, lookup }
  // One object for all of them, see StartSpec.
  const userEnv = userEnvironment(options.env)
  const startOptions = { ...options, userEnv, hasRoom: options.ballast.isHeld }
  const { accountOf } = createAccounts(options)
  const limitsFor = createLimits(options.limits, processes)
  const newJobId = createJobIds()
  const admissions = createAdmissions()
  let closing = false
  let draining = false

  /** The id of the job that was submitted with this key before. At once: two may come in the same turn of the loop. */
  const findRepeated = (key: IdempotencyKey): string | undefined => {
    const earlier = jobStore.findByKey(key.key)
    if (earlier) assertSameRequest(earlier, key)
    return earlier?.id
  }

  const refuseTooMany = ({ id, bounds }: Caller): void => {
    if (bounds.running === undefined) return
    const running = active.values().filter(({ job }) => job.state === 'running' && job.caller === id)
    if (running.length + admissions.count(id) >= bounds.running)
      throw failure('too-many-jobs-of-key', { limit: bounds.running })
  }

  /** Throws AgentError not-your-job. */
  const jobToControl = (id: string, caller: Caller): ActiveJob => {
    const one = runningJob(id)
    if (!mayControl(caller, one.job.caller)) throw failure('not-your-job')
    return one
  }

  const runningJob = (id: string): ActiveJob => {
    const one = active.get(id)
    if (one?.job.state === 'running') return one
    throw failure(one || jobStore.find(id) ? 'job-ended' : 'unknown-job')
  }

  const settled = async (): Promise<void> => {
    await admissions.settled()
    await Promise.all(active.values().map(({ done }) => done))
  }

  const refuseWhileClosing = (): void => {
    if (closing) throw failure('stopping')
  }

  const start = ({ facts, request, directory, account, key, timer, release }: Admitted): void => {
    const { id } = facts
    const onDone = ({ number }: ActiveJob): void => {
      release()
      // Whoever waits for the end opens the job within this turn of the loop, and must find it.
      const letGo = retention.keep(number)
      setImmediate(() => {
        active.delete(id)
        letGo()
      })
    }
    refuseWhileClosing()
    const job = { ...facts, state: 'running' as const, pid: 0, startTime: undefined }
    active.set(id, startJob(job, request, { key, directory, account, timer, onDone }, startOptions))
  }

  return {
    /**
     * Runs a job if a slot is free. Resolves when its process runs (or could not be started), with the id of
     * the first job if the key was used before. Rejects with AgentError stopping, draining, out-of-bounds,
     * notify-not-allowed, output-limit-too-high, limit-too-high, limit-unsupported, not-stored, key-reused, too-many-jobs-of-key, with those
     * of accountOf, and with that of `record`.
     */
    async submit(
      asked: JobRequest,
      caller: Caller,
      { key: given, queue, record }: SubmitOptions = {},
    ): Promise<Submission> {
      const { cwd } = caller.bounds
      const user = userOf(asked.user, caller.bounds)
      const account = user === undefined ? undefined : await accountOf(user, caller.bounds)
      // Closed when this is over, however: by then the job has been started, or there is none.
      using directory =
        cwd && (await directoryWithin(asked.cwd ?? (account && homeOf(account)), cwd, processes))
      const bounded = withinBounds(directory ? { ...asked, cwd: directory.path } : asked, caller.bounds)
      const request = account ? { ...bounded, user } : bounded
      // From here to the admission nothing is waited for: no other submission comes between.
      refuseWhileClosing()
      if ((request.outputLimit ?? 0) > options.outputLimit) {
        throw failure('output-limit-too-high', { limit: options.outputLimit })
      }
      if (request.notify && !options.mayNotify?.(request.notify.url)) throw failure('notify-not-allowed')
      const limits = limitsFor(request.limits)
      if (request.env && processes.needsSetUp({ account, limits, noNewPrivileges: request.noNewPrivileges }))
        assertTakenByShells(request.env)
      if (request.noNewPrivileges) assertPrivilegesStay(processes.noNewPrivilegesSupport())
      const key = given && ofCaller(given, caller)
      const admitted = key && admissions.find(key)
      const earlier = admitted ? await admitted.outcome : key && findRepeated(key)
      if (earlier !== undefined) {
        await active.get(earlier)?.started
        return { id: earlier, rejected: false, repeated: true }
      }
      if (draining) throw failure('draining')
      lifecycle.assertRoom()
      refuseTooMany(caller)
      const timer = clock.timer()
      const id = newJobId()
      const facts = newFacts(request, { ...options, id, createTime: timer.startedAt, caller, limits, queue })
      const release = slots.take()
      housekeeping.makeRoom()
      if (!release) {
        const running = slots.used()
        lifecycle.reject({ ...facts, state: 'rejected', error: rejectionText(running) }, running)
        return { id, rejected: true, running }
      }
      const begin = () => start({ facts, request, directory, account, key, timer, release })
      try {
        if (record) {
          const recordIt = () => record(id, facts.user)
          await admissions.admit({ id, caller: caller.id, key, record: recordIt, start: begin })
        } else begin()
      } catch (error) {
        release()
        throw error
      }
      await active.get(id)?.started
      return { id, rejected: false, repeated: false }
    },

    /** Undefined for an unknown job; see OpenJob in handlers/services.ts. */
    open(id: string) {
      const found = lookup.find(id)
      return found && openJob(found, openOptions)
    },

    list: lookup.list,

    /** The job as a list has it; undefined for an unknown one. */
    listed: lookup.listed,

    /** The living processes of a running job, or what a finished one has left. Rejects with AgentError unknown-job. */
    async listProcesses(id: string): Promise<LivingProcess[]> {
      const found = lookup.find(id)
      if (!found) throw failure('unknown-job')
      return lookup.processesOf(found)
    },

    /**
     * Stops a job and resolves when nothing of it is left. Rejects with AgentError unknown-job, job-ended, not-your-job.
     * `graceMs` is the time between TERM and KILL; `record` is waited for before the first of them.
     */
    async cancel(
      id: string,
      caller: Caller,
      graceMs = killGraceMs,
      record?: () => Promise<void>,
    ): Promise<void> {
      const { execution, done } = jobToControl(id, caller)
      await record?.()
      execution.stop('canceled', graceMs)
      if ((await done).reason !== 'canceled') throw failure('job-ended')
    },

    /**
     * Signals a running job; what it makes of it is told as it happens. Rejects with AgentError unknown-job,
     * job-ended, not-your-job, signal-not-permitted. `record` is waited for before.
     */
    async signal(
      id: string,
      caller: Caller,
      signal: NodeJS.Signals,
      to: SignalTarget,
      record?: () => Promise<void>,
    ): Promise<void> {
      await jobToControl(id, caller).started
      runningJob(id)
      await record?.()
      const outcome = await runningJob(id).execution.signal(signal, to) // It may have failed to start.
      if (outcome === 'gone') throw failure('job-ended')
      if (outcome === 'not-permitted') throw failure('signal-not-permitted', { signal })
    },

    countRunning: (): number => slots.used(),

    isClosing: (): boolean => closing,

    isDraining: (): boolean => draining,

    /** Accepts no more jobs; resolves when all that were accepted have ended. */
    drain(): Promise<void> {
      draining = true
      return settled()
    },

    /** Resolves when all that were accepted by now have ended. */
    settled,

    /** Accepts no more jobs, stops all that run, resolves when they have ended. */
    async close(graceMs: number, reason: StopReason = 'agent-stopped'): Promise<void> {
      closing = true
      for (const { execution } of active.values()) execution.stop(reason, graceMs)
      // No job comes of what is being admitted: see start.
      await settled()
    },
  }
}

/** What has a slot. */
interface Admitted {
  key: IdempotencyKey | undefined
  facts: JobFacts
  request: JobRequest
  directory: OpenDirectory | undefined
  account: Account | undefined
  timer: ReturnType<Clock['timer']>
  release(): void
}
