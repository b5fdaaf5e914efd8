import type { Right } from '../lib/security/authenticator.ts'
import { getAgent } from './agent/get-agent.ts'
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
import type { Handler } from './services.ts'

/** An endpoint that needs a signature. */
export interface Route {
  /** HEAD is answered wherever GET is. */
  method: 'get' | 'post'
  path: string
  /** What the caller must be allowed. */
  right: Right
  handler: Handler
  /** The parameters that its query may have, beside the signature; none when absent. */
  query?: readonly string[]
}

const OUTPUT_QUERY = ['tail', 'follow']

/** In this order: the first that matches answers. */
export const ROUTES: readonly Route[] = [
  { method: 'post', path: '/api/jobs/execute/cmd', right: 'run', handler: executeCommand },
  { method: 'post', path: '/api/jobs/execute/script', right: 'run', handler: executeScript },
  { method: 'get', path: '/api/jobs/countOfRunningJobs', right: 'read', handler: countRunningJobs },
  { method: 'get', path: '/api/jobs', right: 'read', handler: listJobs, query: ['state', 'limit', 'before'] },
  { method: 'get', path: '/api/jobs/:id', right: 'read', handler: getJob, query: ['wait', 'output'] },
  {
    method: 'get',
    path: '/api/jobs/:id/stdout',
    right: 'read',
    handler: readOutput('stdout'),
    query: OUTPUT_QUERY,
  },
  {
    method: 'get',
    path: '/api/jobs/:id/stderr',
    right: 'read',
    handler: readOutput('stderr'),
    query: OUTPUT_QUERY,
  },
  { method: 'get', path: '/api/jobs/:id/output', right: 'read', handler: readOutput(), query: OUTPUT_QUERY },
  { method: 'get', path: '/api/jobs/:id/events', right: 'read', handler: followJob, query: ['after'] },
  { method: 'get', path: '/api/jobs/:id/processes', right: 'read', handler: listProcesses },
  { method: 'post', path: '/api/jobs/:id/cancel', right: 'run', handler: cancelJob },
  { method: 'post', path: '/api/jobs/:id/signal', right: 'run', handler: signalJob },
  { method: 'get', path: '/api/agent', right: 'read', handler: getAgent },
]
