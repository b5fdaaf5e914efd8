import { type IRequestStrict, Router } from 'itty-router'
import { errors } from '../lib/base/errors.ts'
import { health } from './health.ts'
import { authenticate } from './http/authenticate.ts'
import { failureOf } from './http/reply.ts'
import { cancelJob } from './jobs/cancel-job.ts'
import { countRunningJobs } from './jobs/count-running-jobs.ts'
import { executeCommand } from './jobs/execute-command.ts'
import { executeScript } from './jobs/execute-script.ts'
import { getJob } from './jobs/get-job.ts'
import { listJobs } from './jobs/list-jobs.ts'
import { listProcesses } from './jobs/list-processes.ts'
import { signalJob } from './jobs/signal-job.ts'
import { followJob } from './output/follow-job.ts'
import { readOutput } from './output/read-output.ts'
import type { Context, Handler, Services } from './services.ts'

const PUBLIC: Route[] = [['get', '/healthz', health]]

/** In this order: the first that matches answers. */
const SIGNED: Route[] = [
  ['post', '/api/jobs/execute/cmd', executeCommand],
  ['post', '/api/jobs/execute/script', executeScript],
  ['get', '/api/jobs/countOfRunningJobs', countRunningJobs],
  ['get', '/api/jobs', listJobs],
  ['get', '/api/jobs/:id', getJob],
  ['get', '/api/jobs/:id/stdout', readOutput('stdout')],
  ['get', '/api/jobs/:id/stderr', readOutput('stderr')],
  ['get', '/api/jobs/:id/output', readOutput()],
  ['get', '/api/jobs/:id/events', followJob],
  ['get', '/api/jobs/:id/processes', listProcesses],
  ['post', '/api/jobs/:id/cancel', cancelJob],
  ['post', '/api/jobs/:id/signal', signalJob],
]

/** Binds every endpoint to one set of services; the result is a plain fetch function that never rejects. */
export const createApp = (services: Services) => {
  const router = Router<IRequestStrict, [Services, Context]>()
  for (const route of PUBLIC) add(router, route)
  router.all('*', authenticate)
  for (const route of SIGNED) add(router, route)
  for (const [method, path] of [...PUBLIC, ...SIGNED]) router.all(path, methodNotAllowed(method))
  router.all('*', unknownEndpoint)

  return async (request: Request, context: Context): Promise<Response> => {
    const answer = router.fetch(request, services, context) as Promise<Response>
    const response = await answer.catch(error => failureOf(error, services, context))
    if (request.method !== 'HEAD') return response
    await response.body?.cancel()
    return new Response(null, response)
  }
}

type Route = ['get' | 'post', path: string, Handler]

const add = (router: ReturnType<typeof Router<IRequestStrict, [Services, Context]>>, route: Route): void => {
  const [method, path, handler] = route
  router[method](path, handler)
  if (method === 'get') router.head(path, handler)
}

const methodNotAllowed = (method: Route[0]): Handler => {
  const allow = method === 'get' ? 'GET, HEAD' : 'POST'
  return () => {
    throw errors.methodNotAllowed(allow)
  }
}

const unknownEndpoint: Handler = () => {
  throw errors.unknownEndpoint()
}
