import type { Micros } from '../base/timestamp.ts'
import type { EndedJob, Job, JobState, RejectedJob, RunningJob } from '../jobs/job.ts'
import type { OutputTotals } from './output-store.ts'

/** A job as it is stored, with what only the agent itself needs. */
export interface StoredJob {
  /** The row; outputs refer to it. */
  number: number
  mark: number
  job: Job
  /** True once it has ended. */
  totals: OutputTotals
}

/** A client's name for a submission (RFC draft-ietf-httpapi-idempotency-key-header), and what it stood for. */
export interface IdempotencyKey {
  key: string
  /** SHA-256 of the request; its body is not kept. */
  requestHash: Uint8Array
}

export interface StartedJob {
  id: string
  pid: number
  startTime: Micros
}

/** What a job must be like to be listed; what is absent does not matter. */
export interface JobQuery {
  /** One of them. */
  states?: readonly JobState[] | undefined
  /** All of them, as `name=value`. */
  labels?: readonly string[] | undefined
  /** The id of the key that has submitted it. */
  caller?: string | undefined
  /** Part of its command, its params or the name of its script; the case of ASCII letters does not matter. */
  text?: string | undefined
  /** Only jobs whose id is this one, or sorts after it. */
  from?: string | undefined
  /** Only jobs whose id sorts before this one: older than the one with this id. */
  before?: string | undefined
  limit: number
}

/** How much of a command and of params a list has; more than that was there when there is so much. */
export const MOST_LETTERS_IN_LIST = 1025

export interface JobPage {
  jobs: StoredJob[]
  /** The id to go on before: there may be more that match. Undefined when there are enough, or no more. */
  next: string | undefined
}

/** The records of all jobs. Every method may throw what the store throws, for a full disk for example. */
export interface JobStore {
  /** Stores a job before it is started, or one that never will be; returns its number. */
  insert(job: RunningJob | RejectedJob, mark: number, key?: IdempotencyKey): number
  /** Adds what the starts of running jobs have brought; of all of them, or of none. */
  markStarted(jobs: readonly StartedJob[]): void
  /** `storedBytes` is what the store spends on its output, which retention counts. */
  finish(job: EndedJob, totals: OutputTotals, storedBytes: number): void
  find(id: string): StoredJob | undefined
  findByKey(key: string): { id: string; requestHash: Uint8Array } | undefined
  /** Those that were running when the agent was last seen; none of them runs now, unless it was started since. */
  findRunning(): StoredJob[]
  /** Newest first: ids sort by time. Looks at a bounded number of jobs; of their commands and params it has the start. */
  list(query: JobQuery): JobPage
}
