import type { CpuTime, Exit } from './exit-status.ts'

export type OutputStream = 'stdout' | 'stderr'

export interface StartSpec {
  /** The program: a name to be looked up in the agent's PATH, or a path. */
  file: string
  /** The arguments after the program's own name. No string here or in the environment may hold a NUL. */
  args: string[]
  /** The environment that many have in common: the same object each time, and never changed. */
  env: Record<string, string>
  /** What is added to it, or takes its place. */
  ownEnv?: Record<string, string> | undefined
  /** Where it runs: the path of a directory, or an open one; the agent's own directory when absent. */
  cwd: string | OpenDirectory | undefined
  /** What it reads from its standard input, then end of file; end of file at once when absent. */
  stdin: Uint8Array | undefined
  /** The number that every process of the job inherits; see mark.ts. */
  mark: number
  /** The job's script file, removed with the job should the agent die. */
  script?: string | undefined
  /** Called before the start, once the agent's death removes the script too: writes it, for example. */
  prepare?: (() => Promise<void>) | undefined
  /** Asked right before the start, which may have had to wait for its turn: if not, it fails without a message. */
  isWanted?: (() => boolean) | undefined
  /** Called for each read, in order; `bytes` is only valid during the call. */
  onOutput(stream: OutputStream, bytes: Uint8Array): void
}

/** A directory that stays the same one, whatever becomes of its name, until it is disposed of. */
export interface OpenDirectory extends Disposable {
  /** Without symbolic links, as it was called when it was opened. */
  path: string
  /** Undefined where the system has no such descriptors: then all there is of it is its name. */
  fd: number | undefined
}

/** The job's own process, or all of its processes. */
export type SignalTarget = 'leader' | 'all'

/** `gone`: the process has ended. `not-permitted`: it has become another user's, and may not be signaled (EPERM). */
export type SignalOutcome = 'sent' | 'gone' | 'not-permitted'

export interface StartedProcess {
  pid: number
  /** Resolves when the process itself has ended and was reaped; never rejects. */
  exited: Promise<Exit>
  /**
   * Resolves when every holder of both output pipes has closed them; never rejects. The pipes are read to
   * their end in any case, so that what lives on in the background never gets a SIGPIPE.
   */
  outputClosed: Promise<void>
  /** Signals the process itself. */
  kill(signal: NodeJS.Signals): SignalOutcome
}

/**
 * Which processes are meant: all that bear one of the marks; as long as the job's own process is not reaped, that one
 * and its session; and what descends from any of them.
 */
export interface Target {
  marks: ReadonlySet<number>
  /** The job's own process; 0 when it is not known. */
  pid: number
}

/** A living process, told apart from a later one with the same pid by its start time. */
export interface LivingProcess {
  pid: number
  /** In clock ticks since boot on Linux. */
  startTime: number
  mark: number | undefined
  parent: number
  /** As ps(1) shows it: R, S, D, T … */
  state: string
  command: string
  cpu: CpuTime
  residentBytes: number
}

/** Everything that the rest of the agent may do with processes. */
export interface Processes {
  newMark(): number
  /** Rejects with the system's error. */
  openDirectory(path: string): Promise<OpenDirectory>
  /**
   * Starts a process in a session of its own; rejects with StartError. From before the start until `unguard`,
   * the death of the agent, of any kind, is the death of all that bears the mark.
   */
  start(spec: StartSpec): Promise<StartedProcess>
  /** The job has ended: what it has left behind is no longer the agent's. */
  unguard(mark: number): void
  /**
   * The living processes of a target, and of those that were `known` to be the ones that still live, with all that
   * descends from either; zombies are dead. Rejects when it cannot look, for want of descriptors.
   */
  find(target: Target, known?: LivingProcess[]): Promise<LivingProcess[]>
  /** Whether anything may live that a job left behind, without a look at every process. */
  mayHaveLeft(target: Target): boolean
  /** Whether the jobs would end with the agent, should it be killed. */
  guardian(): GuardianState
  /** Gives back what the process layer holds of the system, when no job runs any more and none will. */
  close(): void
  /** Signals a found process if it still is the one that was found. */
  signal(process: LivingProcess, signal: NodeJS.Signals): SignalOutcome
}

/**
 * `idle`: not needed yet; `starting`: for the first job, or because the one before has ended; `missing`: jobs would
 * outlive the agent, until its next start, should it be killed; `unsupported`: the same, for good, on this system.
 */
export type GuardianState = (
  | { state: 'idle' | 'starting' | 'running' }
  | { state: 'missing' | 'unsupported'; error: string }
) & {
  /** How often one that had ended, or was stopped, was replaced by another. */
  restarts: number
}

/** The process could not be started; the message is in the words of Go's os/exec. */
export class StartError extends Error {}
