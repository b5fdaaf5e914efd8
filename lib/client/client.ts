import { createJobHandle, findJob, type JobHandle } from './job-handle.ts'
import { type Result, success } from './result.ts'
import { hasJobId, isAgent, isCount, isHistory, isJobList } from './shapes.ts'
import { type ConnectOptions, createTransport } from './transport.ts'
import type {
  Agent,
  AgentHistory,
  CommandRequest,
  Job,
  JobQuery,
  ListedJob,
  ScriptRequest,
  SubmitRequest,
  WatchEvent,
} from './types.ts'
import { type WatchOptions, watchJobs } from './watch.ts'

export type { Credentials } from './credentials.ts'
export type { EventsOptions } from './events.ts'
export type { JobHandle, OutputOptions } from './job-handle.ts'
export { ClientError, type Result } from './result.ts'
export type { ConnectOptions } from './transport.ts'
export type * from './types.ts'
export type { WatchOptions } from './watch.ts'

export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface SubmitOptions extends CallOptions {
  /**
   * Makes it safe to submit the same again: it is run once. A new one by default, so that a submission whose answer
   * was lost can be repeated by the client itself.
   */
  idempotencyKey?: string | undefined
}

/** An agent, as its callers see it. */
export interface AgentClient {
  /** Runs a command, and resolves when it has ended, however long that takes; with all the output that is kept. */
  run(request: CommandRequest, options?: SubmitOptions): Promise<Result<Job>>
  /** The same for a script. */
  script(request: ScriptRequest, options?: SubmitOptions): Promise<Result<Job>>
  /** Resolves as soon as it runs. */
  submit(request: SubmitRequest, options?: SubmitOptions): Promise<Result<JobHandle>>
  job(id: string): JobHandle
  /** The job whose id begins like this; fails with `unknown-job` or `ambiguous-id`. */
  find(prefix: string, options?: CallOptions): Promise<Result<JobHandle>>
  /** Newest first. */
  list(query?: JobQuery, options?: CallOptions): Promise<Result<ListedJob[]>>
  /** All jobs as they change, without end; goes on by itself after a broken connection. Throws ClientError. */
  watch(options?: WatchOptions): AsyncGenerator<WatchEvent, void>
  countRunning(): Promise<Result<number>>
  /** What the agent tells of itself, and as whom it knows the caller. */
  status(options?: CallOptions): Promise<Result<Agent>>
  /** How it and its host fared in the last hour. */
  history(options?: CallOptions): Promise<Result<AgentHistory>>
  /** It takes no new jobs, and ends with the last that runs. */
  drain(): Promise<Result<Agent>>
}

/** Sends nothing by itself. Throws TypeError for a URL or credentials that are none. */
export const connect = (url: string, options: ConnectOptions = {}): AgentClient => {
  const transport = createTransport(url, options)
  const submit = async (
    request: SubmitRequest,
    { signal, idempotencyKey = newKey() }: SubmitOptions = {},
  ): Promise<Result<JobHandle>> => {
    const path = `/api/jobs/execute/${'cmd' in request ? 'cmd' : 'script'}`
    const submitted = await transport.call(path, hasJobId, {
      method: 'POST',
      body: { ...request, async: true },
      headers: { 'Idempotency-Key': idempotencyKey },
      signal,
      isRepeatable: true,
    })
    return submitted.ok ? success(createJobHandle(transport, submitted.value.id)) : submitted
  }
  const runToEnd = async (request: SubmitRequest, options?: SubmitOptions): Promise<Result<Job>> => {
    const submitted = await submit(request, options)
    return submitted.ok ? submitted.value.wait({ signal: options?.signal }) : submitted
  }
  return {
    run: runToEnd,
    script: runToEnd,
    submit,
    job: id => createJobHandle(transport, id),
    find: (prefix, { signal } = {}) => findJob(transport, prefix, signal),
    list: (query = {}, { signal } = {}) => transport.call('/api/jobs', isJobList, { query, signal }),
    watch: options => watchJobs(transport, options),
    countRunning: () => transport.call('/api/jobs/countOfRunningJobs', isCount),
    status: ({ signal } = {}) => transport.call('/api/agent', isAgent, { signal }),
    history: ({ signal } = {}) => transport.call('/api/agent/history', isHistory, { signal }),
    drain: () => transport.call('/api/agent/drain', isAgent, { method: 'POST' }),
  }
}

/** crypto.randomUUID is not there for a page that came by plain HTTP. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
