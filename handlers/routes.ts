import { drainAgent } from './agent/drain-agent.ts'
import { getAgent } from './agent/get-agent.ts'
import { getHistory } from './agent/get-history.ts'
import { getMetrics } from './agent/get-metrics.ts'
import { getOpenApi } from './agent/get-openapi.ts'
import { health } from './health.ts'
import { cancelJob } from './jobs/cancel-job.ts'
import { countRunningJobs } from './jobs/count-running-jobs.ts'
import { executeCommand } from './jobs/execute-command.ts'
import { executeScript } from './jobs/execute-script.ts'
import { getJob, querySchema as jobQuery } from './jobs/get-job.ts'
import { listJobs, querySchema as listQuery } from './jobs/list-jobs.ts'
import { listProcesses } from './jobs/list-processes.ts'
import { signalJob } from './jobs/signal-job.ts'
import { watchJobs, querySchema as watchQuery } from './jobs/watch-jobs.ts'
import { querySchema as eventsQuery, followJob } from './output/follow-job.ts'
import { querySchema as outputQuery, readOutput } from './output/read-output.ts'
import { ready } from './ready.ts'
import type { OpenRoute, PageRoute, Route } from './route.ts'
import { serveConsole } from './serve-console.ts'

/** These need no signature, and come first. */
export const OPEN_ROUTES: readonly OpenRoute[] = [
  { method: 'get', path: '/healthz', handler: health, operation: 'health' },
  { method: 'get', path: '/readyz', handler: ready, operation: 'ready' },
]

/** For browsers; they need no signature either, and are no part of the API. */
export const CONSOLE_ROUTES: readonly PageRoute[] = [
  { method: 'get', path: '/', handler: serveConsole },
  { method: 'get', path: '/console/:file+', handler: serveConsole },
]

/** Whose job it is, the job service checks. */
const CONTROL = ['run', 'admin'] as const

/** In this order: the first that matches answers. */
export const ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/api/jobs/execute/cmd',
    rights: ['run'],
    action: 'submit',
    handler: executeCommand,
    operation: 'executeCommand',
  },
  {
    method: 'post',
    path: '/api/jobs/execute/script',
    rights: ['run'],
    action: 'submit',
    handler: executeScript,
    operation: 'executeScript',
  },
  {
    method: 'get',
    path: '/api/jobs/countOfRunningJobs',
    rights: ['read'],
    handler: countRunningJobs,
    operation: 'countRunningJobs',
  },
  {
    method: 'get',
    path: '/api/jobs',
    rights: ['read'],
    handler: listJobs,
    query: listQuery,
    operation: 'listJobs',
  },
  {
    method: 'get',
    path: '/api/jobs/:id',
    rights: ['read'],
    handler: getJob,
    query: jobQuery,
    operation: 'getJob',
  },
  {
    method: 'get',
    path: '/api/jobs/:id/stdout',
    rights: ['read'],
    handler: readOutput('stdout'),
    query: outputQuery,
    operation: 'readStdout',
  },
  {
    method: 'get',
    path: '/api/jobs/:id/stderr',
    rights: ['read'],
    handler: readOutput('stderr'),
    query: outputQuery,
    operation: 'readStderr',
  },
  {
    method: 'get',
    path: '/api/jobs/:id/output',
    rights: ['read'],
    handler: readOutput(),
    query: outputQuery,
    operation: 'readOutput',
  },
  {
    method: 'get',
    path: '/api/jobs/:id/events',
    rights: ['read'],
    handler: followJob,
    query: eventsQuery,
    operation: 'followJob',
  },
  {
    method: 'get',
    path: '/api/jobs/:id/processes',
    rights: ['read'],
    handler: listProcesses,
    operation: 'listProcesses',
  },
  {
    method: 'post',
    path: '/api/jobs/:id/cancel',
    rights: CONTROL,
    action: 'cancel',
    handler: cancelJob,
    operation: 'cancelJob',
  },
  {
    method: 'post',
    path: '/api/jobs/:id/signal',
    rights: CONTROL,
    action: 'signal',
    handler: signalJob,
    operation: 'signalJob',
  },
  {
    method: 'post',
    path: '/api/agent/drain',
    rights: ['admin'],
    action: 'drain',
    handler: drainAgent,
    operation: 'drainAgent',
  },
  {
    method: 'get',
    path: '/api/events',
    rights: ['read'],
    handler: watchJobs,
    query: watchQuery,
    operation: 'watchJobs',
  },
  { method: 'get', path: '/api/agent', rights: ['read'], handler: getAgent, operation: 'getAgent' },
  {
    method: 'get',
    path: '/api/agent/history',
    rights: ['read'],
    handler: getHistory,
    operation: 'getHistory',
  },
  { method: 'get', path: '/metrics', rights: ['read'], handler: getMetrics, operation: 'getMetrics' },
  {
    method: 'get',
    path: '/openapi.json',
    rights: ['read'],
    handler: getOpenApi(() => [...OPEN_ROUTES, ...ROUTES]),
    operation: 'getOpenApi',
  },
]
