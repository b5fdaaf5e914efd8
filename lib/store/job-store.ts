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

export interface JobQuery {
  state?: JobState | undefined
  /** Only jobs older than the one with this id. */
  before?: string | undefined
  limit: number
}

/** The records of all jobs. Every method may throw what the store throws, for a full disk for example. */
export interface JobStore {
  /** Stores a job before it is started, or one that never will be; returns its number. */
  insert(job: RunningJob | RejectedJob, mark: number, key?: IdempotencyKey): number
  markStarted(number: number, pid: number, startTime: Micros): void
  /** `storedBytes` is what the store spends on its output, which retention counts. */
  finish(number: number, job: EndedJob, totals: OutputTotals, storedBytes: number): void
  find(id: string): StoredJob | undefined
  findByKey(key: string): { id: string; requestHash: Uint8Array } | undefined
  /** Those that were running when the agent was last seen; none of them runs now, unless it was started since. */
  findRunning(): StoredJob[]
  /** Newest first: ids sort by time. */
  list(query: JobQuery): StoredJob[]
}
