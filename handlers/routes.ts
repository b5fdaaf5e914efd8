import type { Right } from '../lib/security/caller.ts'
import { drainAgent } from './agent/drain-agent.ts'
import { getAgent } from './agent/get-agent.ts'
import { getMetrics } from './agent/get-metrics.ts'
import { cancelJob } from './jobs/cancel-job.ts'
import { countRunningJobs } from './jobs/count-running-jobs.ts'
import { executeCommand } from './jobs/execute-command.ts'
import { executeScript } from './jobs/execute-script.ts'
import { getJob } from './jobs/get-job.ts'
import { listJobs, querySchema } from './jobs/list-jobs.ts'
import { listProcesses } from './jobs/list-processes.ts'
import { signalJob } from './jobs/signal-job.ts'
import { querySchema as eventsQuery, followJob } from './output/follow-job.ts'
import { readOutput } from './output/read-output.ts'
import type { Handler } from './services.ts'

/** An endpoint that needs a signature. */
export interface Route {
  /** HEAD is answered wherever GET is. */
  method: 'get' | 'post'
  path: string
  /** The caller must have one of them. */
  rights: readonly Right[]
  handler: Handler
  /** What it is called in the audit trail; routes that only look have none. */
  action?: string
  /** The parameters that its query may have, beside the signature; none when absent. */
  query?: readonly string[]
}

/** Whose job it is, the job service checks. */
const CONTROL = ['run', 'admin'] as const
const OUTPUT_QUERY = ['tail', 'follow']

/** In this order: the first that matches answers. */
export const ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/api/jobs/execute/cmd',
    rights: ['run'],
    action: 'submit',
    handler: executeCommand,
  },
  {
    method: 'post',
    path: '/api/jobs/execute/script',
    rights: ['run'],
    action: 'submit',
    handler: executeScript,
  },
  { method: 'get', path: '/api/jobs/countOfRunningJobs', rights: ['read'], handler: countRunningJobs },
  {
    method: 'get',
    path: '/api/jobs',
    rights: ['read'],
    handler: listJobs,
    query: Object.keys(querySchema.shape),
  },
  { method: 'get', path: '/api/jobs/:id', rights: ['read'], handler: getJob, query: ['wait', 'output'] },
  {
    method: 'get',
    path: '/api/jobs/:id/stdout',
    rights: ['read'],
    handler: readOutput('stdout'),
    query: OUTPUT_QUERY,
  },
  {
    method: 'get',
    path: '/api/jobs/:id/stderr',
    rights: ['read'],
    handler: readOutput('stderr'),
    query: OUTPUT_QUERY,
  },
  {
    method: 'get',
    path: '/api/jobs/:id/output',
    rights: ['read'],
    handler: readOutput(),
    query: OUTPUT_QUERY,
  },
  {
    method: 'get',
    path: '/api/jobs/:id/events',
    rights: ['read'],
    handler: followJob,
    query: Object.keys(eventsQuery.shape),
  },
  { method: 'get', path: '/api/jobs/:id/processes', rights: ['read'], handler: listProcesses },
  { method: 'post', path: '/api/jobs/:id/cancel', rights: CONTROL, action: 'cancel', handler: cancelJob },
  { method: 'post', path: '/api/jobs/:id/signal', rights: CONTROL, action: 'signal', handler: signalJob },
  { method: 'post', path: '/api/agent/drain', rights: ['admin'], action: 'drain', handler: drainAgent },
  { method: 'get', path: '/api/agent', rights: ['read'], handler: getAgent },
  { method: 'get', path: '/metrics', rights: ['read'], handler: getMetrics },
]
