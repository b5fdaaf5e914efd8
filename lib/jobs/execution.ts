import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { within } from '../base/within.ts'
import type { Capture } from '../output/capture.ts'
import { type Exit, exitText, signalName } from '../process/exit-status.ts'
import { findInSpite, stopAll } from '../process/stop.ts'
import { type Processes, StartError, type StartedProcess, type Target } from '../process/types.ts'
import {
  type EndedJob,
  type EndReason,
  INTERPRETERS,
  type JobRequest,
  NOTHING_RAN,
  type RunningJob,
  type Survivor,
} from './job.ts'
import { removeScript, writeScript } from './script-file.ts'

export type StopReason = 'timeout' | 'canceled' | 'agent-stopped' | 'output-limit'

export interface ExecutionOptions {
  job: RunningJob
  request: JobRequest
  mark: number
  /** What all jobs have in common. */
  env: Record<string, string>
  capture: Capture
  processes: Processes
  clock: ReturnType<Clock['timer']>
  killGraceMs: number
  log: Log
  /** The process lives; called with its pid and start time set. */
  onStarted(job: RunningJob): void
}

/** One job on its way from start to end. */
export interface Execution {
  /** Resolves when the process runs; not at all when it could not be started. */
  started: Promise<void>
  /** Resolves when nothing more will happen to the job; never rejects. */
  ended: Promise<EndedJob>
  /** Stops it; only the first reason counts, a shorter grace period (in milliseconds) always does. */
  stop(reason: StopReason, graceMs: number): void
  /** Sends a signal that changes no state by itself; to all of its processes, or to its own. */
  signal(signal: NodeJS.Signals, to: 'leader' | 'all'): Promise<void>
}

export const execute = (options: ExecutionOptions): Execution => {
  const { job, request, capture, processes, clock, killGraceMs, log } = options
  const started = Promise.withResolvers<void>()
  const lost = Promise.withResolvers<undefined>()
  let reason: EndReason | undefined
  let child: StartedProcess | undefined
  let stopping: Promise<unknown> = Promise.resolve()
  let beingStopped = false
  /** Of a stop that came before there was a process. */
  let earlyGraceMs = Number.POSITIVE_INFINITY
  let isScriptOurs = false
  let survivors: Survivor[] = []

  const target = (): Target => ({ marks: new Set([options.mark]), pid: child?.pid ?? 0 })

  const stop = (why: StopReason, graceMs: number): void => {
    reason ??= why
    if (!child) earlyGraceMs = Math.min(earlyGraceMs, graceMs)
    const hasEnded = reason === 'exited' || reason === 'signaled'
    if (child && (!hasEnded || beingStopped)) stopChild(child, graceMs)
  }

  const stopChild = ({ exited }: StartedProcess, graceMs: number): void => {
    beingStopped = true
    const attempt = stopAll(processes, target(), graceMs).then(
      found => {
        survivors = found.map(({ pid, command }) => ({ pid, command }))
        if (found.length > 0) log.error({ jobId: job.id, survivors }, 'processes survived SIGKILL')
      },
      error => log.error({ jobId: job.id, err: error }, 'stopping a job failed'),
    )
    stopping = Promise.all([stopping, attempt])
    // A leader that survives even SIGKILL (uninterruptible sleep) is not waited for.
    void stopping.then(() => within(exited, EXIT_MS)).then(() => lost.resolve(undefined))
  }

  const signal = async (name: NodeJS.Signals, to: 'leader' | 'all'): Promise<void> => {
    if (to === 'leader') child?.kill(name)
    else for (const found of await processes.find(target())) processes.signal(found, name)
  }

  const start = (): Promise<StartedProcess> => {
    const { script, params, cmd, cwd, stdin } = request
    const prepare = async (): Promise<void> => {
      if (!script) return
      await writeScript(job.scriptPath, script.content).catch(toStartError)
      isScriptOurs = true
    }
    const command = params === '' ? cmd : `${cmd} ${params}`
    return processes.start({
      file: script ? INTERPRETERS[script.type] : 'bash',
      // `--`: a command that begins with a dash is no option of bash.
      args: script ? [job.scriptPath, ...script.words] : ['-c', '--', command],
      env: options.env,
      ownEnv: { ...request.env, NEWDT_AUTO_JOB_ID: job.id },
      cwd,
      stdin: stdin === undefined ? undefined : Buffer.from(stdin),
      mark: options.mark,
      script: job.scriptPath,
      prepare,
      isWanted: () => reason === undefined, // It may be stopped before it has begun.
      onOutput: capture.write,
    })
  }

  const run = async (): Promise<EndedJob> => {
    try {
      child = await start()
    } catch (error) {
      if (!(error instanceof StartError)) log.error({ jobId: job.id, err: error }, 'starting a job failed')
      reason ??= 'start-failed'
      return end(undefined, error instanceof StartError ? error.message : 'start failed')
    }
    job.pid = child.pid
    job.startTime = clock.now()
    options.onStarted(job)
    started.resolve()
    if (reason !== undefined) stopChild(child, earlyGraceMs)
    const timer = request.timeout && setTimeout(stop, request.timeout.ms, 'timeout', killGraceMs)
    const exit = await Promise.race([child.exited, lost.promise])
    clearTimeout(timer)
    if (exit) reason ??= exit.status.signal === 0 ? 'exited' : 'signaled'
    if (request.leftovers === 'kill' && processes.mayHaveLeft(target())) stopChild(child, killGraceMs)
    // What lives on in the background may hold the pipes open; it is not waited for.
    await within(child.outputClosed, DRAIN_MS)
    await stopping
    return end(exit, '')
  }

  const countLeftovers = async (): Promise<number> =>
    child && processes.mayHaveLeft(target()) ? (await findInSpite(processes, target())).length : 0

  const end = async (exit: Exit | undefined, startError: string): Promise<EndedJob> => {
    capture.end()
    if (isScriptOurs) await removeScript(job.scriptPath)
    const why = reason ?? 'exited'
    const text = exit ? exitText(exit.status) : startError
    const leftovers = survivors.length > 0 ? 0 : await countLeftovers()
    const finishTime = clock.now()
    return {
      ...job,
      state: STATES[why] ?? (text === '' ? 'success' : 'failed'),
      startTime: job.startTime ?? finishTime,
      finishTime,
      exitCode: exit?.status.exitCode ?? 0,
      signal: signalName(exit?.status.signal ?? 0),
      error: text || stopText(why, request.timeout?.text),
      reason: why,
      cpu: exit?.cpu ?? NOTHING_RAN.cpu,
      leftovers,
      survivors,
    }
  }

  return { started: started.promise, ended: run(), stop, signal }
}

/** The state that a cause leads to, where it does not depend on the exit status. */
const STATES: Partial<Record<EndReason, EndedJob['state']>> = {
  'start-failed': 'failed',
  timeout: 'failed',
  'output-limit': 'failed',
  canceled: 'canceled',
  'agent-stopped': 'canceled',
}

/** What is said of a job that was stopped when its exit status says nothing. */
const stopText = (why: EndReason, timeout = ''): string => {
  if (why === 'timeout') return `timed out after ${timeout}`
  if (why === 'agent-stopped') return 'agent stopped'
  if (why === 'output-limit') return 'output limit exceeded'
  return why === 'canceled' ? 'canceled' : ''
}

const toStartError = (error: NodeJS.ErrnoException): never => {
  throw new StartError(`${error.syscall ?? 'write'} script: ${error.code ?? error.message}`)
}

/** How long output that is still on its way when the job's own process has ended is waited for. */
const DRAIN_MS = 1000
/** How long after the last KILL the leader's end is waited for. */
const EXIT_MS = 500
