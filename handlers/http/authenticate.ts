import { failure } from '../../lib/base/errors.ts'
import type { Credentials } from '../../lib/security/authenticator.ts'
import type { Caller } from '../../lib/security/caller.ts'
import type { Context, Services } from '../services.ts'
import { queryOf } from './query.ts'
import { refusal } from './refusal.ts'

/**
 * Who asks, by the signature or the token of a request; nothing of its body has been read by then. Throws AgentError
 * 401, or 403 for a key that may not be used like this.
 */
export const authenticate = (
  request: Pick<Request, 'url' | 'headers'>,
  { authenticator }: Pick<Services, 'authenticator'>,
  { address, isPrivate }: Context,
): Caller => authenticator.authenticate(credentialsOf(request), { address, isPrivate })

/** A request with an Authorization header is judged by that alone: what else it has is not tried. */
const credentialsOf = ({ url, headers }: Pick<Request, 'url' | 'headers'>): Credentials => {
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
    throw refusal('signature-missing')
  }
  return { kind: 'signature', sign: onlyValue(sign), signAt: onlyValue(signAt) }
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

/** RFC 6750, 2.1. */
const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i
