import type { IRequestStrict } from 'itty-router'
import type { JobChanges } from '../lib/jobs/changes.ts'
import type { JobRecord, JobRequest, Queued } from '../lib/jobs/job.ts'
import type { Submission, SubmitOptions } from '../lib/jobs/jobs.ts'
import type { JobListQuery } from '../lib/jobs/lookup.ts'
import type { History } from '../lib/metrics/history.ts'
import type { OutputView } from '../lib/output/view.ts'
import type {
  GuardianState,
  LimitSupport,
  Limits,
  LivingProcess,
  SignalTarget,
} from '../lib/process/types.ts'
import type { AuditEntry } from '../lib/security/audit-line.ts'
import type { Authentication, Client, Credentials } from '../lib/security/authenticator.ts'
import type { Caller, Right } from '../lib/security/caller.ts'
import type { OutboxSummary } from '../lib/store/outbox-store.ts'
import type { BodyRules } from './http/body.ts'
import type { Reading } from './http/stream.ts'

/** What the handlers may call. Failures that a client is told of are AgentErrors. */
export interface Services {
  jobs: JobService
  /** Which jobs change. */
  changes: Pick<JobChanges, 'now' | 'since' | 'wait' | 'isOver'>
  authenticator: AuthenticationService
  /** What has become of the callbacks of a job, in their order. */
  notifications(jobId: string): OutboxSummary[]
  audit: AuditService
  metrics: MetricsService
  /** Absent where there is to be none. */
  console?: ConsoleService | undefined
  /** What the agent tells of itself. */
  status(): AgentStatus
  /** What it tells of its host, for which it has to look. Never rejects, and takes half a second at most. */
  facts(): Promise<AgentFacts>
  /** How agent and host fared in the last hour. */
  history(): History
  /** Has the agent take no new jobs, and end when the last that runs has ended. */
  drain(): void
  /** The largest request body, in bytes. */
  bodyLimit: number
  /** An error that nobody expected, with the request id that the client is told. */
  reportError(error: unknown, requestId: string): void
}

export interface AuthenticationService {
  /** Rejects with AgentError: see Authenticator, and too-many-guesses. */
  authenticate(credentials: Credentials, client: Client): Promise<Authentication>
}

/** The trail of who has asked for what. Only recordOrFail rejects. */
export interface AuditService {
  /** Rejects with AgentError not-recorded. */
  recordOrFail(entry: AuditEntry): Promise<void>
  /** The first at once, those that follow in one line; `among` tells apart those that it must tell apart. */
  recordRepeatable(entry: AuditEntry, among?: string): Promise<void>
  /** What proves against a copy what somebody asks to be run; `body` is what the request came as. */
  hashesOf(request: JobRequest, body: Uint8Array): Partial<AuditEntry>
  /** The text of it; nothing where that is not to be kept. */
  textOf(request: JobRequest): Partial<AuditEntry>
  /** `code` is the error's, `client` the address that it came from. */
  recordFailedAuthentication(code: string, client: string): Promise<void>
}

export interface MetricsService {
  /** Counts an answer; `route` is a path of the route table, or "other". */
  request(method: string, route: string, status: number): void
  /** Counts a request whose sender was not known; `reason` is the code of the error. */
  authenticationFailed(reason: string): void
  /** All metrics, in Prometheus's text format. */
  text(): Promise<string>
  contentType: string
}

export interface ConsoleService {
  /** What is served at `path`: "" is the page, any other is below `/console/`. */
  find(path: string): Promise<ConsoleFile | undefined>
}

/** A file that a browser asks for, whole and compressed. */
export interface ConsoleFile {
  /** As in Content-Type. */
  type: string
  bytes: Uint8Array<ArrayBuffer>
  gzipped: Uint8Array<ArrayBuffer>
  /** Its path stays when it changes. */
  isPage: boolean
}

export interface JobService {
  /** Resolves when the job runs, or could not be started, or was rejected. */
  submit(request: JobRequest, caller: Caller, options?: SubmitOptions): Promise<Submission>
  /** Opens a job for one answer; undefined for an unknown one. Whoever opens it closes it. */
  open(id: string): OpenJob | undefined
  /** Newest first. */
  list(query: JobListQuery): Promise<JobRecord[]>
  /** The job as a list has it, without a look at any process; undefined for an unknown one. */
  listed(id: string): JobRecord | undefined
  /**
   * Resolves when nothing of the job lives any more; `graceMs` is the time between TERM and KILL. `record` is waited
   * for before anything is done.
   */
  cancel(id: string, caller: Caller, graceMs?: number, record?: () => Promise<void>): Promise<void>
  /** Changes no state by itself. `record` as above. */
  signal(
    id: string,
    caller: Caller,
    signal: NodeJS.Signals,
    to: SignalTarget,
    record?: () => Promise<void>,
  ): Promise<void>
  /** The living processes of a running job, or what a finished one has left. */
  listProcesses(id: string): Promise<LivingProcess[]>
  countRunning(): number
  isDraining(): boolean
  isClosing(): boolean
}

/**
 * A job that somebody is told of. Until it is closed, and for at most a minute after the job's end, nothing of it is
 * removed to make room for newer jobs: so who waits for the end finds the output there.
 */
export interface OpenJob {
  readonly id: string
  /** The job as it is now, with `usage` also what it uses if it runs; undefined when it was removed. */
  now(options?: { usage?: boolean }): Promise<JobRecord | undefined>
  /** Resolves when the job has ended; or after `ms` milliseconds; or when the signal is aborted. */
  waitForEnd(options?: { ms?: number | undefined; signal?: AbortSignal }): Promise<void>
  /** What is kept of its output, to be read at the reader's own pace. */
  readonly output: OutputView
  /** May be called more than once. */
  close(): void
}

export interface AgentStatus {
  version: string
  /** When the agent was started; tells it from the next one at the same address. */
  startTime: string
  running: number
  limit: number
  stopping: boolean
  /** It takes no new jobs, and ends with the last that runs. */
  draining: boolean
  /** Whether jobs would end with the agent should it be killed. */
  guardian: GuardianState
  /** Credentials that were wrong since the start, and those that were not looked at, for too many were wrong. */
  guesses: { wrong: number; unseen: number }
  /** Whether new jobs can be recorded. */
  audit: { state: 'ok' | 'failing' }
  /** What keeps each limit of a job, or what is missing for it. */
  limits: LimitSupport
  /** Whether jobs may run as other users as far as the system is concerned. */
  users: { possible: true } | { missing: string }
  /** The limits of jobs that ask for none, and the most that a job may ask for. */
  defaultLimits: Limits
  maxLimits: Limits
  /** Whom jobs may run as, whoever asks. */
  runAs: readonly string[]
  /** Whether new jobs can be stored. */
  store: { state: 'ok' | 'full' | 'gone' }
  /** The fleet that it is in; null when it is in none. */
  fleet: {
    name: string
    labels: Record<string, string>
    /** Whether there is a connection to the engine. */
    state: 'connected' | 'disconnected'
    /** Whether it takes jobs from the queue. */
    queue: 'on' | 'off'
  } | null
}

export interface AgentFacts {
  host: {
    name: string
    /** These three as uname(1) prints them: `Linux`, `6.1.0-18-amd64`, `x86_64`. */
    system: string
    release: string
    machine: string
    /** How many the agent may use. */
    cpus: number
    memoryBytes: number
  }
  /** The file system of the data directory; null when it cannot be looked at. */
  disk: {
    /** For the agent's account. */
    freeBytes: number
    totalBytes: number
  } | null
  /** What the database takes on it; null as well. */
  storeBytes: number | null
}

/** What belongs to one request. */
export interface Context extends Client {
  requestId: string
  /** Host and port that the client asks for, in lower case, without a default port; "" when it does not say. */
  authority: string
  /** Path and query as they came. */
  target: string
  /** Of a request that a fleet's queue has given. */
  queued?: Queued | undefined
  /** The one right that the caller can use, of those that the key has; all of them when absent. */
  onlyRight?: Right | undefined
  /** Adds to the request's line in the log: the id of the key that was used, the word of a refusal. */
  note(fields: { caller?: string; error?: string }): void
}

/** The same once it is known who asks. */
export interface CallerContext extends Context {
  caller: Caller
  bodyRules: BodyRules
  /** False while the nonce of its signature is only in memory: after a crash the same request would start it again. */
  mayStart: boolean
  auditLine: AuditLine
  /** Throws AgentError for a request that must not become a job once more; absent where that is known already. */
  assertUnused?: (() => void) | undefined
  /** For bodies that are made while they are sent. */
  reading: Reading
}

/** What the audit trail gets of a request that does something, before it is answered. */
export interface AuditLine {
  add(fields: Partial<AuditEntry>): void
  /**
   * Writes it at once, for what must not happen without it; `text` is in this line only. Rejects with AgentError
   * not-recorded.
   */
  write(fields: Partial<AuditEntry>, text: Partial<AuditEntry>): Promise<void>
  /** A line before something is done; what has come of it is another. Never rejects: stopping must be possible. */
  begin(): Promise<void>
}

export type Handler<C extends Context = CallerContext> = (
  request: IRequestStrict,
  services: Services,
  context: C,
) => Response | Promise<Response>
