import type { IncomingMessage } from 'node:http'
import { refusal } from '../handlers/http/refusal.ts'
import type { AgentError } from '../lib/base/errors.ts'
import type { Client } from '../lib/security/authenticator.ts'
import { plainAuthority } from './authority.ts'

export interface TargetedRequest extends IncomingMessage {
  client: Client
  /** Host and port, and path and query, as the client has them: set by normalizeTarget. */
  authority: string
  target: string
}

/**
 * Makes the adapter build its URL from the request target alone: it would paste in whatever Host header a client
 * sends. What it was is kept for signatures. Returns the path; undefined for a target that is none (`*`, or garbage).
 */
export const normalizeTarget = (request: TargetedRequest): string | undefined => {
  const target = request.url ?? ''
  request.authority = plainAuthority(request.headers.host ?? '', request.client.isEncrypted)
  request.target = target
  if (PLAIN_TARGET.test(target)) {
    request.headers.host = LOCAL
    return target
  }
  const origin = `http://${LOCAL}`
  const url = URL.parse(target.startsWith('/') ? origin + target : target)
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  request.headers.host = LOCAL
  request.url = url.pathname + url.search
  if (!target.startsWith('/')) {
    request.authority = plainAuthority(url.host, request.client.isEncrypted) // RFC 9112, 3.2.2: the Host header is ignored.
    request.target = request.url
  }
  return url.pathname
}

/** The URL that handlers see of a path and a query; undefined for a target that is none. */
export const urlOfTarget = (target: string): URL | undefined =>
  (target.startsWith('/') && URL.parse(`http://${LOCAL}${target}`)) || undefined

/** The router copies what it has of a repeated parameter for each repetition, before it is known who asks. */
export const targetRefusal = (target: string): AgentError | undefined => {
  if (target.length > LONGEST_TARGET_BYTES) return refusal('target-too-long', { limit: LONGEST_TARGET_BYTES })
  if (target.split('&', MOST_PARAMETERS + 1).length <= MOST_PARAMETERS) return undefined
  return refusal('invalid-request', { detail: TOO_MANY_PARAMETERS })
}

/** What RFC 9112, 3, recommends to support at least. */
const LONGEST_TARGET_BYTES = 8000
const MOST_PARAMETERS = 64
const TOO_MANY_PARAMETERS = {
  zh: `查询参数超过 ${MOST_PARAMETERS} 个`,
  en: `the query has more than ${MOST_PARAMETERS} parameters`,
}
const LOCAL = 'localhost'

/** A path that is the same once it has been parsed, as nearly all requests have it. */
const PLAIN_TARGET = /^\/[\w/-]*$/
