/** What the agent itself may refuse or fail at, by its machine word, with what there is to say about it. */
export interface Failures {
  'unknown-job': NoDetails
  'job-ended': NoDetails
  /** The Idempotency-Key was used for another request. */
  'key-reused': NoDetails
  /** Bytes. */
  'output-limit-too-high': { limit: number }
  /** The store took no record of the job, so nothing was run. */
  'not-stored': NoDetails
  stopping: NoDetails
  /** The process has become another user's: the system lets nobody but root and that user signal it. */
  'signal-not-permitted': { signal: string }
}

export type NoDetails = Record<never, never>

/** An expected failure, as a stable machine word and its details. In which words it is told is the caller's affair. */
export class AgentError extends Error {
  readonly code: string
  readonly details: object

  constructor(code: string, details: object = {}) {
    super(code)
    this.code = code
    this.details = details
  }
}

/** `failure('unknown-job')`, `failure('output-limit-too-high', { limit: 1024 })`. */
export const failure = <Code extends keyof Failures>(
  code: Code,
  ...[details]: Failures[Code] extends NoDetails ? [details?: Failures[Code]] : [details: Failures[Code]]
): AgentError => new AgentError(code, details)
