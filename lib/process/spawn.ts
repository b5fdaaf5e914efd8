import type { ExitStatus } from './exit-status.ts'

export type OutputStream = 'stdout' | 'stderr'

export interface StartSpec {
  /** The program: a name to be looked up in the agent's PATH, or a path. */
  file: string
  /** The arguments after the program's own name. No string here or in `env` may hold a NUL. */
  args: string[]
  env: Record<string, string>
  /** Where it runs; the agent's own directory when absent. */
  cwd: string | undefined
  /** What it reads from its standard input, then end of file; end of file at once when absent. */
  stdin: Uint8Array | undefined
  /** The number that every process of the job inherits; see mark.ts. */
  mark: number
  /** Called for each read, in order; `bytes` is only valid during the call. */
  onOutput(stream: OutputStream, bytes: Uint8Array): void
}

export interface StartedProcess {
  pid: number
  /** Resolves when the process itself has ended and was reaped; never rejects. */
  exited: Promise<ExitStatus>
  /**
   * Resolves when every holder of both output pipes has closed them; never rejects. The pipes are read to
   * their end in any case, so that what lives on in the background never gets a SIGPIPE.
   */
  outputClosed: Promise<void>
}

/** Which processes are meant: all that bear one of the marks, or (where there are no marks) the leader's session. */
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
  command: string
}

/** Everything that the rest of the agent may do with processes. */
export interface Processes {
  newMark(): number
  /** Starts a process in a session of its own; rejects with StartError. */
  start(spec: StartSpec): Promise<StartedProcess>
  /** The living processes of a target; zombies are dead. */
  find(target: Target): Promise<LivingProcess[]>
  /** Signals a found process if it still is the one that was found; false when it is gone or not ours. */
  signal(process: LivingProcess, target: Target, signal: NodeJS.Signals): boolean
}

/** The process could not be started; the message is in the words of Go's os/exec. */
export class StartError extends Error {}
