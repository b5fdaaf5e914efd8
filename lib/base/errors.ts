/** What the agent itself may refuse or fail at, by its machine word, with what there is to say about it. */
export interface Failures {
  'signature-malformed': NoDetails
  /** How long ago it was valid for the last time. */
  'signature-expired': { seconds: number }
  /** How far its time lies in the future. */
  'signature-ahead': { seconds: number }
  'signature-wrong': NoDetails
  /** A signature of a message, RFC 9421, whose `part` is missing or wrong. */
  'message-signature-malformed': { part: string }
  /** It was made for another host. */
  'authority-wrong': { authority: string }
  /** Too many wrong credentials came from this address. */
  'too-many-guesses': { seconds: number }
  'nonce-used': NoDetails
  /** It was not used before, but that it is used now cannot be kept. */
  'nonce-not-remembered': NoDetails
  /** It may have been used before; one that is made in so many seconds will not have been. */
  'clock-set-back': { seconds: number }
  /** A client certificate that is not to be trusted; `fault` is OpenSSL's word for why. */
  'certificate-wrong': { fault: string }
  /** A good one that no key has. */
  'certificate-unknown': { subject: string }
  /** It proves too little for an agent that is strict. */
  'credential-too-weak': NoDetails
  'token-wrong': NoDetails
  /** A bearer token that anybody on the network could have read. */
  'token-insecure': NoDetails
  'key-expired': NoDetails
  /** The key may not be used from the client's address. */
  'address-not-allowed': { address: string }
  /** Only who has submitted the job, or an admin, may control it. */
  'not-your-job': NoDetails
  /**
   * The key does not allow what a field of the request asks for, or that it is absent; `allowed` is what it does allow,
   * where that is short.
   */
  'out-of-bounds': { field: string; allowed?: string | undefined; isAbsent?: true }
  /** As many jobs of this key run as it allows. */
  'too-many-jobs-of-key': { limit: number }
  'unknown-job': NoDetails
  'job-ended': NoDetails
  /** The Idempotency-Key was used for another request. */
  'key-reused': NoDetails
  /** Bytes. */
  'output-limit-too-high': { limit: number }
  /** Callbacks may not go where `notify` wants them. */
  'notify-not-allowed': NoDetails
  /** Jobs may not run as this user, whoever asks. */
  'user-not-allowed': { user: string }
  'unknown-user': { user: string }
  'unknown-group': { group: string }
  /** The agent can start nothing as another user; `missing` says why. */
  'cannot-run-as': { missing: string }
  /** The system's user database does not answer. */
  'users-not-readable': NoDetails
  /** `most` is what the agent allows. */
  'limit-too-high': { field: string; most: string }
  /** This machine cannot keep the limit; `missing` is what would have to be there. */
  'limit-unsupported': { field: string; missing: string }
  /** A job that sets itself up first cannot be given this variable. */
  'variable-not-possible': { variable: string }
  /** The store took no record of the job, so nothing was run. */
  'not-stored': NoDetails
  /** The audit trail took no line about it, so nothing was run. */
  'not-recorded': NoDetails
  stopping: NoDetails
  /** The agent takes no new jobs, and ends with the last that runs. */
  draining: NoDetails
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
