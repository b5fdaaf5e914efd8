import { type IRequestStrict, Router } from 'itty-router'
import { AgentError } from '../lib/base/errors.ts'
import { health } from './health.ts'
import { audited } from './http/audited.ts'
import { authenticate } from './http/authenticate.ts'
import { createPace } from './http/pace.ts'
import { refuseUnknownParameters } from './http/query.ts'
import { refusal } from './http/refusal.ts'
import { failed } from './http/reply.ts'
import { ready } from './ready.ts'
import { ROUTES, type Route } from './routes.ts'
import type { AuditLine, CallerContext, Context, Handler, Services } from './services.ts'

/** Binds every endpoint to one set of services; the result is a plain fetch function that never rejects. */
export const createApp = (services: Services) => {
  const guarded = createGuardedRouter(ROUTES)
  const pace = createPace()
  const router = Router<IRequestStrict, [Services, Context]>()
  router.get('/healthz', health).head('/healthz', health)
  router.get('/readyz', ready).head('/readyz', ready)
  router.all('*', async (request, services, context) => {
    const { caller, signedBody } = await authenticate(request, services, context).catch(error =>
      recordFailure(error, services, context),
    )
    context.note({ caller: caller.id })
    const bodyRules = { limit: services.bodyLimit, signed: signedBody }
    return guarded.fetch(request, services, { ...context, caller, bodyRules, pace, auditLine: NO_AUDIT_LINE })
  })

  return async (request: Request, context: Context): Promise<Response> => {
    const answer = router.fetch(request, services, context) as Promise<Response>
    const response = await answer.catch(error => failed(error, request, services, context))
    services.metrics.request(methodOf(request), routeOf(request), response.status)
    if (request.method !== 'HEAD') return response
    await response.body?.cancel()
    return new Response(null, response)
  }
}

/** Of a request that only looks. */
const NO_AUDIT_LINE: AuditLine = { add() {}, async write() {}, async begin() {} }

const recordFailure = async (
  error: unknown,
  { audit, metrics }: Services,
  { address }: Context,
): Promise<never> => {
  if (error instanceof AgentError) {
    metrics.authenticationFailed(error.code)
    await audit.recordFailedAuthentication(error.code, address)
  }
  throw error
}

/** The router has noted the path that has matched last; one that is in no table may be anything, and is not told. */
const routeOf = (request: Request & { route?: string }): string => {
  const { route } = request
  return route === undefined || route.includes('*') ? 'other' : route
}

/** A client's own word must not become a label. */
const methodOf = ({ method }: Request): string => (METHODS.has(method) ? method : 'other')
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])

const createGuardedRouter = (routes: readonly Route[]) => {
  const router = Router<IRequestStrict, [Services, CallerContext]>()
  for (const route of routes) {
    const handler = guard(route)
    router[route.method](route.path, handler)
    if (route.method === 'get') router.head(route.path, handler)
  }
  for (const { method, path } of routes) router.all(path, methodNotAllowed(method))
  for (const path of ['/healthz', '/readyz']) router.all(path, methodNotAllowed('get'))
  router.all('*', () => {
    throw refusal('unknown-endpoint')
  })
  return router
}

/** Lets pass who has one of the rights, with a query that the endpoint knows. */
const guard = ({ rights, handler, query = [], action }: Route): Handler => {
  const checked: Handler = (request, services, context) => {
    if (!rights.some(right => context.caller.rights.has(right))) throw refusal('forbidden', { rights })
    refuseUnknownParameters(request.url, query)
    return handler(request, services, context)
  }
  return action === undefined ? checked : audited(action, checked)
}

const methodNotAllowed = (method: Route['method']): Handler => {
  const allow = method === 'get' ? 'GET, HEAD' : 'POST'
  return () => {
    throw refusal('method-not-allowed', { allow })
  }
}
