import type { IRequestStrict } from 'itty-router'
import type { JobJson, JobRequest } from '../lib/jobs/job.ts'
import type { Submission } from '../lib/jobs/jobs.ts'
import type { OutputView } from '../lib/output/view.ts'
import type { IdempotencyKey, JobQuery } from '../lib/store/job-store.ts'

/** What the handlers may call. Failures that a client is told of are AgentErrors. */
export interface Services {
  jobs: JobService
  signature: { verify(sign: string, signAt: string): boolean }
  /** The largest request body, in bytes. */
  bodyLimit: number
  /** An error that nobody expected, with the request id that the client is told. */
  reportError(error: unknown, requestId: string): void
}

export interface JobService {
  /** Resolves when the job runs, or could not be started, or was rejected. */
  submit(request: JobRequest, key?: IdempotencyKey): Promise<Submission>
  /** Long output of a job that has ended is left out, as all output is without `output`: see openOutput. */
  get(id: string, options?: { output?: boolean }): Promise<JobJson | undefined>
  /** Resolves when the job has ended, or after `ms` milliseconds; at once for one that does not run. */
  waitForEnd(id: string, ms?: number): Promise<void>
  list(query: JobQuery): JobJson[]
  /** Resolves when nothing of the job lives any more; `graceMs` is the time between TERM and KILL. */
  cancel(id: string, graceMs?: number): Promise<JobJson>
  /** Changes no state by itself. */
  signal(id: string, signal: NodeJS.Signals, to: 'leader' | 'all'): Promise<JobJson>
  /** The living processes of a running job, or what a finished one has left. */
  listProcesses(id: string): Promise<unknown[]>
  countRunning(): number
  /** The kept output of a job, to be read at the reader's own pace; undefined for an unknown job. */
  openOutput(id: string): OutputView | undefined
}

/** What belongs to one request. */
export interface Context {
  requestId: string
}

export type Handler = (
  request: IRequestStrict,
  services: Services,
  context: Context,
) => Response | undefined | Promise<Response | undefined>
