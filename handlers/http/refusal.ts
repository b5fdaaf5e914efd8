import { AgentError, type NoDetails } from '../../lib/base/errors.ts'
import type { Right } from '../../lib/security/caller.ts'
import type { Text } from './text.ts'

/** What a request itself may be refused for, by its machine word, with what there is to say about it. */
export interface Refusals {
  /** `detail` names each field or parameter that is wrong. */
  'invalid-request': { detail: Text }
  /** It is no HTTP. */
  'malformed-request': NoDetails
  'incomplete-body': NoDetails
  /** Neither a signature nor a token. */
  'signature-missing': NoDetails
  /** There is a body, and the signature does not cover it. */
  'content-digest-missing': NoDetails
  /** The body is not the one that was signed. */
  'content-digest-wrong': NoDetails
  /** An Authorization header that is no bearer token. */
  'token-malformed': NoDetails
  /** The caller is known, and has none of the rights. */
  forbidden: { rights: readonly Right[] }
  'unknown-endpoint': NoDetails
  /** The methods that there are, as in an Allow header. */
  'method-not-allowed': { allow: string }
  'request-timeout': NoDetails
  /** Bytes. */
  'body-too-large': { limit: number }
  /** So much is being received that there is no room for this one. */
  'too-many-bodies': NoDetails
  /** Bytes. */
  'target-too-long': { limit: number }
  'unsupported-media-type': NoDetails
  /** How many bytes there are. */
  'range-not-satisfiable': { size: number }
  'expectation-failed': NoDetails
  /** All slots are taken by `running` jobs. */
  'too-many-jobs': { running: number }
  'headers-too-large': NoDetails
  /** `reasons` are words for programs, such as `draining`. */
  'not-ready': { reasons: readonly string[] }
  /** Nobody expected it: the client is told no more than where to find it in the log. */
  internal: { requestId: string }
}

/** `refusal('signature-missing')`, `refusal('body-too-large', { limit: 1024 })`. */
export const refusal = <Code extends keyof Refusals>(
  code: Code,
  ...[details]: Refusals[Code] extends NoDetails ? [details?: Refusals[Code]] : [details: Refusals[Code]]
): AgentError => new AgentError(code, details)
