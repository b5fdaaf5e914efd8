import { type IRequestStrict, Router } from 'itty-router'
import { AgentError } from '../lib/base/errors.ts'
import { fairAmountFor } from '../lib/base/fair-share.ts'
import { audited } from './http/audited.ts'
import { authenticate } from './http/authenticate.ts'
import { createBodyBudget } from './http/body-budget.ts'
import { createPace } from './http/pace.ts'
import { refuseUnknownParameters } from './http/query.ts'
import { refusal } from './http/refusal.ts'
import { failed } from './http/reply.ts'
import type { Route } from './route.ts'
import { OPEN_ROUTES, ROUTES } from './routes.ts'
import type { AuditLine, CallerContext, Context, Handler, Services } from './services.ts'

/** Binds every endpoint to one set of services; the result is a plain fetch function that never rejects. */
export const createApp = (services: Services) => {
  const guarded = createGuardedRouter(ROUTES)
  const pace = createPace()
  const bodies = createBodyBudget({ bytes: Math.max(BODIES_BYTES, fairAmountFor(services.bodyLimit)) })
  const router = Router<IRequestStrict, [Services, Context]>()
  for (const { path, handler } of OPEN_ROUTES) router.get(path, handler).head(path, handler)
  router.all('*', async (request, services, context) => {
    const {
      caller,
      signedBody,
      isNonceStored = true,
    } = await authenticate(request, services, context).catch(error => recordFailure(error, services, context))
    context.note({ caller: caller.id })
    const reserve = (bytes: number) => bodies.reserve(caller.id, bytes)
    const bodyRules = { limit: services.bodyLimit, signed: signedBody, reserve }
    const known = { caller, bodyRules, mayStart: isNonceStored, pace, auditLine: NO_AUDIT_LINE }
    return guarded.fetch(request, services, { ...context, ...known })
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

/** Of all bodies that are being received at a time, or as much as the largest needs to find room beside one caller's. */
const BODIES_BYTES = 64 << 20

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
  for (const { method, path } of [...routes, ...OPEN_ROUTES]) router.all(path, methodNotAllowed(method))
  router.all('*', () => {
    throw refusal('unknown-endpoint')
  })
  return router
}

/** Lets pass who has one of the rights, with a query that the endpoint knows. */
const guard = ({ rights, handler, query, action }: Route): Handler => {
  const parameters = Object.keys(query?.shape ?? {})
  const checked: Handler = (request, services, context) => {
    if (!rights.some(right => context.caller.rights.has(right))) throw refusal('forbidden', { rights })
    refuseUnknownParameters(request.url, parameters)
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
