import {
  type AgentClient,
  type ConnectOptions,
  connect,
  type JobHandle,
  type Result,
} from '../../lib/client/client.ts'
import type { Cli } from './cli.ts'
import { UsageError } from './failure.ts'
import { type Host, whichHost } from './which-host.ts'

/** An agent that is asked. */
export interface Agent {
  host: Host
  /** Tells soon that nobody is there. */
  client: AgentClient
  /** Waits for an agent that was there before, and is perhaps being started again. */
  patient: AgentClient
}

/** The agent of the host that is meant, see whichHost; nothing is sent yet. */
export const askAgent = async ({ env }: Cli, named?: string): Promise<Agent> =>
  askHost(await whichHost(env, named))

/** `onAnswer` sees each answer before it is read. */
export const askHost = async (
  host: Host,
  onAnswer: (response: Response) => void = () => {},
): Promise<Agent> => {
  const send = await fetchOf(host)
  const options: ConnectOptions = {
    credentials: host.credentials,
    async fetch(url, init) {
      const response = await send(url, init)
      onAnswer(response)
      return response
    },
  }
  return {
    host,
    client: connectOr(host, { ...options, patienceMs: 500 }),
    patient: connectOr(host, { ...options, patienceMs: 60_000 }),
  }
}

/** The value of an answer. Throws its ClientError, which main tells in a line. */
export const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}

/** The job of this id, or of an id that begins so; looked for once, so that an agent that is not there is told soon. */
export const findJob = async (
  { client, patient }: Agent,
  id: string,
  signal?: AbortSignal,
): Promise<JobHandle> => {
  const job = unwrap(await client.find(id, { signal }))
  // A whole id is taken as it is.
  if (job.id === id) unwrap(await job.get({ output: false, ...(signal ? { signal } : {}) }))
  return patient.job(job.id)
}

/** None is acted on before all are found. */
export const findJobs = async (
  agent: Agent,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<JobHandle[]> => {
  const found: JobHandle[] = []
  for (const id of ids) found.push(await findJob(agent, id, signal))
  return found
}

const connectOr = (host: Host, options: ConnectOptions): AgentClient => {
  try {
    return connect(host.url, options)
  } catch (error) {
    throw new UsageError(`${host.name}: ${(error as Error).message}`)
  }
}

type Send = NonNullable<ConnectOptions['fetch']>

/** Node's own fetch can neither be told whom to trust for one host, nor show a certificate. */
const fetchOf = async ({ tls }: Host): Promise<Send> => {
  if (!tls) return fetch
  const { Agent, fetch: send } = await import('undici')
  const dispatcher = new Agent({ connect: tls })
  return (url, init) =>
    send(url, { ...init, dispatcher } as Parameters<typeof send>[1]) as unknown as Promise<Response>
}
