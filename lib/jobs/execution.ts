import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { within } from '../base/within.ts'
import type { Capture } from '../output/capture.ts'
import type { Exit } from '../process/exit-status.ts'
import { findInSpite } from '../process/stop.ts'
import {
  type Account,
  type OpenDirectory,
  type Processes,
  type SignalOutcome,
  type SignalTarget,
  StartError,
  type StartedProcess,
  type Target,
  type Usage,
} from '../process/types.ts'
import { usageOfExit } from '../process/usage-of-exit.ts'
import { accountVariables } from './account.ts'
import { JOB_ID_VARIABLE } from './environment.ts'
import type { EndedJob, EndReason, JobRequest, RunningJob } from './job.ts'
import { hasLimits } from './limits.ts'
import { endedJob } from './outcome.ts'
import { programOf } from './program.ts'
import { removeScript, writeScript } from './script-file.ts'
import { createStopping } from './stopping.ts'

export type StopReason = 'timeout' | 'canceled' | 'agent-stopped' | 'output-limit' | 'out-of-memory'

export interface ExecutionOptions {
  /** Its pid and start time are set when its process runs. */
  job: RunningJob
  request: JobRequest
  /** Where it runs, open until it has been started; the request's own directory when absent. */
  directory?: OpenDirectory | undefined
  /** Whom it runs as; as the agent itself when absent. */
  account?: Account | undefined
  /** What all jobs of its kind have in common. */
  env: Record<string, string>
  processes: Processes
  clock: ReturnType<Clock['timer']>
  killGraceMs: number
  log: Log
  /** The process lives; the job has its pid and start time. */
  onStarted(): void
}

/** One job on its way from start to end. */
export interface Execution {
  /** What every process of the job bears, from its start on; see Processes. */
  mark: number
  /** Starts the job and resolves when nothing more will happen to it; never rejects. To be called once. */
  run(capture: Pick<Capture, 'write' | 'end'>): Promise<EndedJob>
  /** Stops it; only the first reason counts, a shorter grace period (in milliseconds) always does. */
  stop(reason: StopReason, graceMs: number): void
  /** Sends a signal that changes no state by itself. `gone` when there was nobody to send it to. */
  signal(signal: NodeJS.Signals, to: SignalTarget): Promise<SignalOutcome>
}

export const createExecution = (options: ExecutionOptions): Execution => {
  const { job, request, directory, account, processes, clock, killGraceMs, log } = options
  const mark = processes.newMark()
  const target: Target = { marks: new Set([mark]), pid: 0 }
  const stopping = createStopping({ jobId: job.id, target, processes, log })
  /** The first cause of the end. */
  let reason: EndReason | undefined
  let child: StartedProcess | undefined
  let hasExited = false
  /** Why the program could not be run, although there was a process. */
  let setUpFault = ''
  /** The grace period of a stop that comes before there is a process. */
  let earlyGraceMs = Number.POSITIVE_INFINITY

  const stop = (why: StopReason, graceMs: number): void => {
    reason ??= why
    if (!child) earlyGraceMs = Math.min(earlyGraceMs, graceMs)
    // What lives on after the job's own end is not stopped, unless that was under way before.
    else if (!hasExited || stopping.hasBegun()) stopping.stop(child, graceMs)
  }

  const start = async (capture: Pick<Capture, 'write'>, onScript: () => void): Promise<StartedProcess> => {
    const { script, cwd, stdin, noNewPrivileges } = request
    const prepare = async (): Promise<void> => {
      if (!script) return
      await writeScript(job.scriptPath, script.content, account).catch(toStartError)
      onScript()
    }
    return processes.start({
      ...programOf(request, job.scriptPath),
      env: options.env,
      ownEnv: { ...(account && accountVariables(account)), ...request.env, [JOB_ID_VARIABLE]: job.id },
      cwd: directory ?? cwd,
      stdin: stdin === undefined ? undefined : Buffer.from(stdin),
      mark,
      script: job.scriptPath,
      account,
      limits: hasLimits(job.limits) ? job.limits : undefined,
      noNewPrivileges,
      prepare,
      isWanted: () => reason === undefined, // It may be stopped before it has begun.
      onOutput: capture.write,
      onOutOfMemory: () => stop('out-of-memory', 0),
    })
  }

  /** The program itself runs. */
  const begin = ({ pid }: StartedProcess): void => {
    job.pid = pid
    job.startTime = clock.now()
    options.onStarted()
  }

  /** Begins when all is set up for the program; when that fails, the process is made to end. */
  const setUp = async (started: StartedProcess, done: Promise<string>): Promise<void> => {
    const ended = Promise.race([started.exited, stopping.givenUp])
    // One that somebody has stopped says nothing; then it counts as the job, so that whoever asked for it has its id.
    let fault = await within(Promise.race([done, ended.then(() => undefined)]), LONGEST_SET_UP_MS)
    // Word of what has gone wrong may still be on its way; but it may also be held up.
    if (reason === undefined) fault ??= await within(done, SET_UP_MS)
    if (fault === undefined && reason !== undefined) return // Stopped before it was known to run.
    // Memory is counted from its first step on.
    if (!fault || processes.wasOutOfMemory(target)) return begin(started)
    reason ??= 'start-failed'
    setUpFault = fault
    if (!(await within(ended, SET_UP_MS))) stopping.stop(started, 0)
  }

  const causeOf = ({ status }: Exit): EndReason => {
    // Whatever its own process makes of it: what a pipeline of which one part was killed has printed is not the truth.
    if (processes.wasOutOfMemory(target)) return 'out-of-memory'
    return status.signal === 0 ? 'exited' : 'signaled'
  }

  /** From the start of the process to its end; undefined when it outlives even SIGKILL. */
  const watch = async (started: StartedProcess): Promise<Exit | undefined> => {
    child = started
    target.pid = started.pid
    if (!started.setUp) begin(started)
    if (reason !== undefined) stopping.stop(started, earlyGraceMs)
    const timer = request.timeout && setTimeout(stop, request.timeout.ms, 'timeout', killGraceMs)
    if (started.setUp) await setUp(started, started.setUp)
    const exit = await Promise.race([started.exited, stopping.givenUp])
    clearTimeout(timer)
    hasExited = exit !== undefined
    if (exit) reason ??= causeOf(exit)
    if (request.leftovers === 'kill' && processes.mayHaveLeft(target)) stopping.stop(started, killGraceMs)
    // What lives on in the background may hold the pipes open; it is not waited for.
    await within(started.outputClosed, DRAIN_MS)
    await stopping.settled()
    return exit
  }

  const countLeftovers = async (): Promise<number> => {
    if (!child || stopping.survivors().length > 0 || !processes.mayHaveLeft(target)) return 0
    return (await findInSpite(processes, target)).length
  }

  /** Of a job that was set up, and so may have control groups; what others have used is known at once. */
  const usageOf = async (exit: Exit): Promise<Usage> => {
    try {
      return await processes.usage(target, exit)
    } catch (error) {
      log.error({ jobId: job.id, err: error }, 'what a job has used cannot be read')
      return usageOfExit(exit)
    }
  }

  const startFailed = (error: unknown): string => {
    reason ??= 'start-failed'
    if (error instanceof StartError) return error.message
    log.error({ jobId: job.id, err: error }, 'starting a job failed')
    return 'start failed'
  }

  const run = async (capture: Pick<Capture, 'write' | 'end'>): Promise<EndedJob> => {
    let hasScript = false
    let exit: Exit | undefined
    let startError = ''
    let leftovers = 0
    let usage: Usage | undefined
    try {
      const onScript = () => {
        hasScript = true
      }
      const started = await start(capture, onScript).catch(error => {
        startError = startFailed(error)
      })
      if (started) exit = await watch(started)
      leftovers = await countLeftovers()
      if (exit && setUpFault === '') usage = child?.setUp ? await usageOf(exit) : usageOfExit(exit)
    } catch (error) {
      log.error({ jobId: job.id, err: error }, 'running a job failed')
    } finally {
      capture.end()
      if (hasScript) await removeScript(job.scriptPath)
      processes.unguard(mark)
    }
    return endedJob(job, {
      // Without an exit nobody has seen its end, by a fault that the log tells.
      reason: reason ?? (exit ? 'exited' : 'agent-lost'),
      // That of a process which never became the program says nothing.
      exit: setUpFault === '' ? exit : undefined,
      startError: startError || setUpFault,
      timeout: request.timeout?.text,
      finishTime: clock.now(),
      leftovers,
      survivors: stopping.survivors(),
      usage,
    })
  }

  const signal = async (name: NodeJS.Signals, to: SignalTarget): Promise<SignalOutcome> => {
    if (to === 'leader') return child?.kill(name) ?? 'gone'
    const found = await processes.find(target)
    const outcomes = new Set(found.map(one => processes.signal(one, name)))
    if (outcomes.has('sent')) return 'sent'
    return outcomes.has('not-permitted') ? 'not-permitted' : 'gone'
  }

  return { mark, run, stop, signal }
}

const toStartError = (error: NodeJS.ErrnoException): never => {
  throw new StartError(`${error.syscall ?? 'write'} script: ${error.code ?? error.message}`)
}

/** How long output that is still on its way when the job's own process has ended is waited for. */
const DRAIN_MS = 1000
/** How long the words for a failed set-up, and then the end of its process, are waited for. */
const SET_UP_MS = 2000
/** A set-up takes some milliseconds. */
const LONGEST_SET_UP_MS = 10_000
