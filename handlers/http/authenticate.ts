import { errors } from '../../lib/base/errors.ts'
import type { Handler } from '../services.ts'
import { queryOf } from './validate.ts'

/** Lets a signed request pass; nothing of its body has been read by then. */
export const authenticate: Handler = (request, { signature }) => {
  const query = queryOf(request.url)
  const sign = single(query.getAll('sign'), request.headers.get('sign'))
  const signAt = single(query.getAll('signAt'), request.headers.get('signAt'))
  if (sign === undefined || signAt === undefined || !signature.verify(sign, signAt))
    throw errors.unauthorized()
  return undefined
}

/** The one value that query and header agree on. A repeated header arrives joined by a comma, and fails later. */
const single = (inQuery: string[], inHeader: string | null): string | undefined => {
  const values = inHeader === null ? inQuery : [...inQuery, inHeader]
  return inQuery.length <= 1 && new Set(values).size === 1 ? values[0] : undefined
}
