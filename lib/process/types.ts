import type { Log } from '../base/log.ts'
import type { CpuTime, Exit } from './exit-status.ts'
import type { Helper, HelperSpec } from './helper.ts'

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
  /** Whom it runs as; as the agent itself when absent. Its environment is whole in `env` and `ownEnv`. */
  account?: Account | undefined
  /** What it may use; what is absent is as the agent has it. Only what limitSupport says that it can be kept. */
  limits?: Limits | undefined
  /** No program that it executes gives it more rights than it has (setuid, file capabilities). */
  noNewPrivileges?: boolean | undefined
  /** Called before the start, once the agent's death removes the script too: writes it, for example. */
  prepare?: (() => Promise<void>) | undefined
  /** Asked right before the start, which may have had to wait for its turn: if not, it fails without a message. */
  isWanted?: (() => boolean) | undefined
  /** Called for each read, in order; `bytes` is only valid during the call. */
  onOutput(stream: OutputStream, bytes: Uint8Array): void
  /** Called when the kernel has killed a process of it for want of memory and the others live on. */
  onOutOfMemory?: (() => void) | undefined
}

/** A user of this system, as its user database has it. */
export interface Account {
  name: string
  uid: number
  /** The group of its processes, and of the files that they make. */
  gid: number
  /** All groups, the one above included. */
  groups: readonly number[]
  home: string
  /** "" where the database has none. */
  shell: string
}

export const LIMIT_NAMES = [
  'memory',
  'cpus',
  'processes',
  'ioWeight',
  'openFiles',
  'fileSize',
  'nice',
] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

/** What a job may use at most. All but the last three are for all of its processes together. */
export interface Limits extends Partial<Record<LimitName, number | undefined>> {
  /** Bytes, swap included. */
  memory?: number | undefined
  /** Processors: 1.5 is one and a half of them all the time. */
  cpus?: number | undefined
  /** Threads count. */
  processes?: number | undefined
  /** Its share of the disks where others want them too, from 1 to 10000; 100 is what others have. */
  ioWeight?: number | undefined
  /** Descriptors that one process may have open. */
  openFiles?: number | undefined
  /** Bytes of a file that it writes. */
  fileSize?: number | undefined
  /** From 0 to 19: how far others go first; nice(1). */
  nice?: number | undefined
}

/** What keeps a limit on this machine, with the most that it can be, or what would have to be there for it. */
export type LimitSupport = Record<
  LimitName,
  { by: 'cgroup-v1' | 'cgroup-v2' | 'prlimit' | 'nice'; most?: number | undefined } | { missing: string }
>

/** What a job has used; null for what is not known. */
export interface Usage {
  /** Seconds of processor time. */
  cpu: number | null
  /** Bytes that it uses now. */
  memory: number | null
  /** The most bytes that it has used at a time. */
  peakMemory: number | null
  /** The most processes and threads that it has had at a time. */
  peakProcesses: number | null
  /** Bytes that disks have read and written for it. */
  readBytes: number | null
  writtenBytes: number | null
}

/** Of what never ran, or whose use nobody counted. */
export const NO_USAGE: Usage = {
  cpu: null,
  memory: null,
  peakMemory: null,
  peakProcesses: null,
  readBytes: null,
  writtenBytes: null,
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
  /**
   * Resolves when the program itself runs, with "", or when it could not be run as it was asked for (its user may not
   * enter the directory, say), with the reason; never rejects. Absent when there was nothing to be done before it.
   */
  setUp?: Promise<string> | undefined
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

export interface ProcessesOptions {
  log?: Log
  /** What tells the control groups of this agent's jobs from those of another one in the same group (version 1). */
  groupName?: string
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
  /**
   * Starts a helper in a session of its own; rejects with StartError. It reads end of file when the agent is gone, and
   * has to end then. Undefined where helpers cannot be started.
   */
  startHelper: ((spec: HelperSpec) => Promise<Helper>) | undefined
  /** For a call on a thread that may never end: at the agent's end no thread is waited for. */
  leaveThreads(): void
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
  /**
   * Looks up a user; with a group, that one is the account's gid. Undefined when there is no such user, `no-group`
   * when there is no such group. Rejects with the system's error when its user database cannot be asked.
   */
  findAccount(user: string, group?: string): Promise<Account | 'no-group' | undefined>
  /** What is missing to run a process as another user; undefined when nothing is. */
  userSupport(): string | undefined
  limitSupport(): LimitSupport
  /**
   * Holds all jobs together within limits, only within what limitSupport says that it can be kept. To be called once,
   * before the first job. Throws an Error that says what is in the way.
   */
  limitAllJobs(limits: Pick<Limits, 'memory' | 'cpus' | 'processes'>): void
  /** Whether a process sets itself up first, by a shell, which hands on only what isTakenByShells. */
  needsSetUp(spec: Pick<StartSpec, 'account' | 'limits' | 'noNewPrivileges'>): boolean
  /** What is missing for `noNewPrivileges`; undefined when nothing is. */
  noNewPrivilegesSupport(): string | undefined
  /** What the target's processes use, or have used when its own has ended with `exit`; see StartedProcess. */
  usage(target: Target, exit?: Exit): Promise<Usage>
  /** Whether the kernel has killed a process of it for want of memory. */
  wasOutOfMemory(target: Target): boolean
  /** Has the kernel kill all of a target at once, as far as it can do that. Never rejects. */
  killAtOnce(target: Target): Promise<void>
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
