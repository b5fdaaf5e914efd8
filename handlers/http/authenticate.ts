import type { Caller } from '../../lib/security/authenticator.ts'
import type { Context, Services } from '../services.ts'
import { queryOf } from './query.ts'
import { refusal } from './refusal.ts'

/** Who asks, by the signature of a request; nothing of its body has been read by then. Throws AgentError 401. */
export const authenticate = (
  request: Pick<Request, 'url' | 'headers'>,
  { authenticator }: Pick<Services, 'authenticator'>,
  { address }: Context,
): Caller => {
  const query = queryOf(request.url)
  const sign = onlyValue(query.getAll('sign'), request.headers.get('sign'))
  const signAt = onlyValue(query.getAll('signAt'), request.headers.get('signAt'))
  if (sign === undefined || signAt === undefined) throw refusal('unauthorized')
  const caller = authenticator.authenticate({ sign, signAt }, address)
  if (!caller) throw refusal('unauthorized')
  return caller
}

/** The one value that query and header agree on. A repeated header arrives joined by a comma, and fails later. */
const onlyValue = (inQuery: string[], inHeader: string | null): string | undefined => {
  const values = inHeader === null ? inQuery : [...inQuery, inHeader]
  return inQuery.length <= 1 && new Set(values).size === 1 ? values[0] : undefined
}
