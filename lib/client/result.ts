/** A failure comes as a value, so that it cannot be overlooked: `if (!result.ok) …result.error.word`. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: ClientError }

/**
 * Why something could not be done. `word` is the agent's own, such as `unknown-job`; or one of the client's:
 * `unreachable` (no connection, or it broke), `not-an-agent` (something else has answered), `aborted` (by the
 * caller's signal).
 */
export class ClientError extends Error {
  readonly word: string
  /** HTTP; undefined when there was no answer. */
  readonly status: number | undefined
  /** When the agent says that it is worth another try. */
  readonly retryAfterMs: number | undefined
  /** Of a rejected submission. */
  readonly jobId: string | undefined
  /** The answer was lost: what was asked may have been done. */
  readonly mayBeDone: boolean

  constructor(
    word: string,
    message: string,
    details: {
      status?: number | undefined
      retryAfterMs?: number | undefined
      jobId?: string | undefined
      mayBeDone?: boolean
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: details.cause })
    this.name = 'ClientError'
    this.word = word
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
    this.jobId = details.jobId
    this.mayBeDone = details.mayBeDone ?? false
  }
}

export const success = <T>(value: T): Result<T> => ({ ok: true, value })
export const failed = (error: ClientError): { ok: false; error: ClientError } => ({ ok: false, error })

export const aborted = (signal: AbortSignal): ClientError =>
  new ClientError('aborted', 'the caller has stopped it', { cause: signal.reason })
