import { type IRequestStrict, Router } from 'itty-router'
import { AgentError } from '../lib/base/errors.ts'
import { fairAmountFor } from '../lib/base/fair-share.ts'
import { type Caller, withOnly } from '../lib/security/caller.ts'
import { audited } from './http/audited.ts'
import { authenticate } from './http/authenticate.ts'
import { createBodyBudget } from './http/body-budget.ts'
import { createPace, type Pace } from './http/pace.ts'
import { refuseUnknownParameters } from './http/query.ts'
import { refusal } from './http/refusal.ts'
import { failed } from './http/reply.ts'
import type { PageRoute, Route } from './route.ts'
import { CONSOLE_ROUTES, OPEN_ROUTES, ROUTES } from './routes.ts'
import type { AuditLine, CallerContext, Context, Handler, Services } from './services.ts'

/** Binds every endpoint to one set of services; the result is a plain fetch function that never rejects. */
export const createApp = (services: Services) => {
  const openRoutes = services.console ? [...OPEN_ROUTES, ...CONSOLE_ROUTES] : OPEN_ROUTES
  const guarded = createGuardedRouter(ROUTES, openRoutes)
  const bodies = createBodyBudget({ bytes: Math.max(BODIES_BYTES, fairAmountFor(services.bodyLimit)) })
  const router = Router<IRequestStrict, [Services, Context]>()
  for (const { path, handler } of openRoutes) router.get(path, handler).head(path, handler)
  router.all('*', async (request, services, context) => {
    const {
      caller: known,
      signedBody,
      isNonceStored = true,
      callerNow,
      assertUnused,
    } = await authenticate(request, services, context).catch(error => recordFailure(error, services, context))
    const { onlyRight } = context
    const caller = withOnly(known, onlyRight)
    context.note({ caller: caller.id })
    const reserve = (bytes: number) => bodies.reserve(caller.id, bytes)
    const bodyRules = { limit: services.bodyLimit, signed: signedBody, reserve }
    const narrowed = () => {
      const now = callerNow()
      return now && withOnly(now, onlyRight)
    }
    const found = {
      caller,
      callerNow: narrowed,
      bodyRules,
      mayStart: isNonceStored,
      auditLine: NO_AUDIT_LINE,
      assertUnused,
    }
    return guarded.fetch(request, services, { ...context, ...found })
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

const createGuardedRouter = (routes: readonly Route[], openRoutes: readonly PageRoute[]) => {
  const router = Router<IRequestStrict, [Services, GuardedContext]>()
  const pace = createPace()
  for (const route of routes) {
    const handler = guard(route, pace)
    router[route.method](route.path, handler)
    if (route.method === 'get') router.head(route.path, handler)
  }
  for (const { method, path } of [...routes, ...openRoutes]) router.all(path, methodNotAllowed(method))
  router.all('*', () => {
    throw refusal('unknown-endpoint')
  })
  return router
}

/** Before it is known whether the caller may do what is asked for. */
interface GuardedContext extends Omit<CallerContext, 'reading'> {
  /** The caller as the keys have it now; undefined for one that they do not know any more. */
  callerNow(): Caller | undefined
}

/** Lets pass who has one of the rights, with a query that the endpoint knows. */
const guard = ({ rights, handler, query, action }: Route, pace: Pace): Handler<GuardedContext> => {
  const parameters = Object.keys(query?.shape ?? {})
  const mayPass = (caller: Caller | undefined): boolean => rights.some(right => caller?.rights.has(right))
  const checked: Handler<GuardedContext> = (request, services, { callerNow, ...context }) => {
    if (!mayPass(context.caller)) throw refusal('forbidden', { rights })
    refuseUnknownParameters(request.url, parameters)
    const reading = { pace, isAllowed: () => mayPass(callerNow()) }
    return handler(request, services, { ...context, reading })
  }
  return action === undefined ? checked : audited(action, checked)
}

const methodNotAllowed = (method: Route['method']): Handler => {
  const allow = method === 'get' ? 'GET, HEAD' : 'POST'
  return () => {
    throw refusal('method-not-allowed', { allow })
  }
}
