import { failure } from '../../lib/base/errors.ts'
import type { Authentication, Credentials } from '../../lib/security/authenticator.ts'
import type { Context, Services } from '../services.ts'
import { queryOf } from './query.ts'
import { refusal } from './refusal.ts'

/**
 * Who asks, by what a request has to prove it; nothing of its body has been read by then. Throws AgentError 401, 403
 * for a key that may not be used like this, 429, 503 if its use cannot be remembered.
 */
export const authenticate = async (
  request: Pick<Request, 'method' | 'url' | 'headers'>,
  { authenticator }: Pick<Services, 'authenticator'>,
  context: Context,
): Promise<Authentication> => authenticator.authenticate(credentialsOf(request, context), context)

/** The strongest that is there is judged alone: what else there is is not tried. */
const credentialsOf = (
  request: Pick<Request, 'method' | 'url' | 'headers'>,
  { authority, target, certificate }: Context,
): Credentials => {
  const { method, url, headers } = request
  if (headers.has('signature-input') || headers.has('signature')) {
    const [path, query = ''] = split(target, '?')
    const header = (name: string) => headers.get(name) ?? undefined
    return { kind: 'message-signature', message: { method, authority, path, query: `?${query}`, header } }
  }
  const authorization = headers.get('authorization')
  if (authorization !== null) {
    const token = BEARER.exec(authorization)?.[1]
    if (token === undefined) throw refusal('token-malformed')
    return { kind: 'token', token }
  }
  const query = queryOf(url)
  const valuesOf = (name: string) => ({ inQuery: query.getAll(name), inHeader: headers.get(name) })
  const [sign, signAt] = [valuesOf('sign'), valuesOf('signAt')]
  if ([sign, signAt].every(({ inQuery, inHeader }) => inQuery.length === 0 && inHeader === null)) {
    if (certificate && !isOfAnotherSite(headers, authority)) return { kind: 'certificate' }
    throw refusal('signature-missing')
  }
  return { kind: 'signature', sign: onlyValue(sign), signAt: onlyValue(signAt) }
}

/**
 * Whether a page of another site has a browser send this: with the certificate of its user, which the page does not
 * have to know. Browsers say so themselves (Fetch Metadata); older ones name the origin of the page, at least with a
 * POST. Programs send neither. Only a connection by TLS has a certificate, so the agent's own pages are https.
 */
const isOfAnotherSite = (headers: Headers, authority: string): boolean => {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  const origin = headers.get('origin')
  return origin !== null && origin !== `https://${authority}`
}

/**
 * The one value that query and header agree on. What is missing, or said twice in the query, is malformed; a repeated
 * header arrives joined by a comma, and is malformed too.
 */
const onlyValue = ({ inQuery, inHeader }: { inQuery: string[]; inHeader: string | null }): string => {
  const values = inHeader === null ? inQuery : [...inQuery, inHeader]
  if (inQuery.length > 1 || new Set(values).size !== 1) throw failure('signature-malformed')
  return values[0]!
}

/** What is before and after the first separator. */
const split = (text: string, separator: string): [string, string?] => {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** RFC 6750, 2.1. */
const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i
