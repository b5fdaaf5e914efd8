import { cancelJob } from './cancel-job.ts'
import { type EventsOptions, followEvents } from './events.ts'
import { ClientError, type Result, success } from './result.ts'
import { withPatience } from './retry.ts'
import { isJob, isJobId, isJobList, isProcessList } from './shapes.ts'
import type { Transport } from './transport.ts'
import type { Job, JobEvent, JobProcess } from './types.ts'

/** One job of an agent, by its id; nothing is asked before a method is called. */
export interface JobHandle {
  readonly id: string
  /** As it is now; with `output: false` without its output. */
  get(options?: { output?: boolean; signal?: AbortSignal }): Promise<Result<Job>>
  /** Resolves when it has ended, however long that takes. */
  wait(options?: { output?: boolean; signal?: AbortSignal | undefined }): Promise<Result<Job>>
  /** What happens to it; goes on by itself after a broken connection. Throws ClientError. */
  events(options?: EventsOptions): AsyncGenerator<JobEvent, void>
  /** What it writes, byte for byte, until it ends; fails with ClientError. */
  stdout(options?: { signal?: AbortSignal }): ReadableStream<Uint8Array<ArrayBuffer>>
  stderr(options?: { signal?: AbortSignal }): ReadableStream<Uint8Array<ArrayBuffer>>
  /**
   * What of its output is kept now, byte for byte, of one stream or of both in their order; as the answer of the agent,
   * whose body can be large, and fails when the connection breaks.
   */
  output(options?: OutputOptions): Promise<Result<Response>>
  /** Resolves when nothing of it lives any more. `grace` is the time between TERM and KILL, such as "10s". */
  cancel(options?: { grace?: string | undefined }): Promise<Result<Job>>
  /** `signal` is a name such as "HUP"; to its own process, or to `all` of them. */
  signal(signal: string, options?: { to?: 'leader' | 'all' }): Promise<Result<Job>>
  processes(options?: { signal?: AbortSignal }): Promise<Result<JobProcess[]>>
}

export interface OutputOptions {
  /** Both when absent. */
  stream?: 'stdout' | 'stderr' | undefined
  /** The last lines alone. */
  tail?: number | undefined
  signal?: AbortSignal | undefined
}

export const createJobHandle = (transport: Transport, id: string): JobHandle => {
  const path = `/api/jobs/${encodeURIComponent(id)}`
  const bytesOf = (stream: 'stdout' | 'stderr', { signal }: EventsOptions = {}) => {
    const unread = new AbortController()
    const both = signal ? AbortSignal.any([signal, unread.signal]) : unread.signal
    return streamOf(followEvents(transport, id, { signal: both }), stream, () => unread.abort())
  }

  const wait: JobHandle['wait'] = async ({ output, signal } = {}) => {
    while (true) {
      const query = { output, wait: `${WAIT_SECONDS}s` }
      const timeoutMs = (WAIT_SECONDS + 20) * 1000
      const result = await transport.call(path, isJob, { query, signal, timeoutMs })
      if (!result.ok || result.value.state !== 'running') return result
    }
  }

  return {
    id,
    get: ({ output, signal } = {}) => transport.call(path, isJob, { query: { output }, signal }),
    wait,
    events: options => followEvents(transport, id, options),
    stdout: options => bytesOf('stdout', options),
    stderr: options => bytesOf('stderr', options),
    output: ({ stream = 'output', tail, signal } = {}) =>
      withPatience(
        () => transport.open(`${path}/${stream}`, { query: { tail }, signal }),
        transport.patienceMs,
        signal,
      ),
    cancel: ({ grace } = {}) => cancelJob(transport, path, { grace, wait }),
    signal: (signal, { to } = {}) =>
      transport.call(`${path}/signal`, isJob, { method: 'POST', body: { signal, to } }),
    processes: ({ signal } = {}) => transport.call(`${path}/processes`, isProcessList, { signal }),
  }
}

/** ReadableStream.from would do, but not every browser has it. */
const streamOf = (
  events: AsyncGenerator<JobEvent, void>,
  name: 'stdout' | 'stderr',
  onCancel: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new ReadableStream({
    async pull(controller) {
      for (let next = await events.next(); !next.done; next = await events.next()) {
        if (next.value.type === name) return controller.enqueue(next.value.bytes)
      }
      controller.close()
    },
    // The events may be waiting for the job to write.
    cancel: onCancel,
  })

/** Proxies close what is silent for longer, often after a minute. */
const WAIT_SECONDS = 25

/** The only job whose id begins so. Fails with `unknown-job`, or `ambiguous-id` when there are several. */
export const findJob = async (
  transport: Transport,
  prefix: string,
  signal?: AbortSignal,
): Promise<Result<JobHandle>> => {
  const found = (id: string) => success(createJobHandle(transport, id))
  if (isJobId(prefix)) return found(prefix)
  const unknown = {
    ok: false,
    error: new ClientError('unknown-job', 'there is no such job', { status: 404 }),
  } as const
  if (!/^[0-9a-f]{1,31}$/.test(prefix)) return unknown
  // Ids sort as text, so those with this prefix come first before the prefix that follows it.
  const query = { before: prefixAfter(prefix)?.padEnd(32, '0'), limit: 2 }
  const listed = await transport.call('/api/jobs', isJobList, { query, signal })
  if (!listed.ok) return listed
  const [first, second] = listed.value.filter(({ id }) => id.startsWith(prefix))
  if (!first) return unknown
  if (!second) return found(first.id)
  return { ok: false, error: new ClientError('ambiguous-id', `several jobs begin with ${prefix}`) }
}

/** The next number of as many hex digits; undefined behind the last. */
const prefixAfter = (prefix: string): string | undefined => {
  const next = (BigInt(`0x${prefix}`) + 1n).toString(16).padStart(prefix.length, '0')
  return next.length > prefix.length ? undefined : next
}
