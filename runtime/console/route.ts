import { signal } from '@preact/signals'

/** Where in the console one is; all of it stands behind the `#`, so it works below any path. */
export type Route =
  | { page: 'jobs'; filter: URLSearchParams }
  /** `id` may be its beginning alone, as it is shown in many places. */
  | { page: 'job'; id: string }
  /** `from` is the id of a job that is to be run again. */
  | { page: 'run'; from: string | undefined }
  | { page: 'agent' }
  | { page: 'unknown' }

/** `#/jobs?state=failed`, `#/jobs/<id>`, `#/run`, `#/run?from=<id>`, `#/agent`; nothing is `#/jobs`. */
export const parseRoute = (hash: string): Route => {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [first, id, ...more] = path.split('/')
  if (more.length > 0) return { page: 'unknown' }
  if (first === '' || (first === 'jobs' && id === undefined))
    return { page: 'jobs', filter: new URLSearchParams(query) }
  if (first === 'jobs' && /^[0-9a-f]{4,32}$/i.test(id!)) return { page: 'job', id: id!.toLowerCase() }
  if (id !== undefined) return { page: 'unknown' }
  if (first === 'run') return { page: 'run', from: new URLSearchParams(query).get('from') ?? undefined }
  return first === 'agent' ? { page: 'agent' } : { page: 'unknown' }
}

/** Follows the address of the window. */
export const createRoute = () => {
  const route = signal(parseRoute(location.hash))
  addEventListener('hashchange', () => {
    route.value = parseRoute(location.hash)
  })
  return route
}

export const jobAddress = (id: string): string => `#/jobs/${id}`
