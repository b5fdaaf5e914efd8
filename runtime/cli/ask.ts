import {
  type AgentClient,
  type ClientError,
  type ConnectOptions,
  connect,
  type JobHandle,
  type Result,
} from '../../lib/client/client.ts'
import { type Cli, fleetNameOf } from './cli.ts'
import { UsageError } from './failure.ts'
import { type Host, urlOf, whichHost } from './which-host.ts'

/** An agent that is asked. */
export interface Agent {
  host: Host
  /** Tells soon that nobody is there. */
  client: AgentClient
  /** Waits for an agent that was there before, and is perhaps being started again. */
  patient: AgentClient
}

/** The agent of the host that is meant, see whichHost, or one of the fleet; nothing is sent yet. */
export const askAgent = async (cli: Cli, named?: string): Promise<Agent> => {
  if (!isInFleet(cli, named)) return askHost(await whichHost(cli.env, named))
  if (named === undefined) throw new UsageError('which host of the fleet? -H NAME; newdt hosts lists them')
  const { openFleet } = await import('./open-fleet.ts')
  return askHost((await openFleet(cli)).host(named))
}

/** A URL is that of an agent which is asked directly, whatever NEWDT_FLEET is. */
export const isInFleet = (cli: Cli, named?: string): boolean => {
  const url = named === undefined ? undefined : urlOf(named)
  if (url !== undefined && cli.fleet !== undefined)
    throw new UsageError(`${named} or --fleet? An agent of a fleet is named, such as -H db1`)
  return url === undefined && fleetNameOf(cli) !== undefined
}

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

/** Whether one with the right `admin` may do what was refused to the right `run`, or not allowed by an engine. */
export const needsAdmin = ({ word }: Pick<ClientError, 'word'>): boolean =>
  word === 'not-your-job' || word === 'forbidden' || word === 'fleet-not-allowed'

/** A job, and the agent that has it. */
export interface FoundJob {
  agent: Agent
  job: JobHandle
}

/** The job of this id, or of an id that begins so; looked for once, so that an agent that is not there is told soon. */
export const findOn = async (
  { client, patient }: Agent,
  id: string,
  signal?: AbortSignal,
): Promise<JobHandle> => {
  const job = unwrap(await client.find(id, { signal }))
  // A whole id is taken as it is.
  if (job.id === id) unwrap(await job.get({ output: false, ...(signal ? { signal } : {}) }))
  return patient.job(job.id)
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
const fetchOf = async ({ tls, fetch: own = fetch }: Host): Promise<Send> => {
  if (!tls) return own
  const { Agent, fetch: send } = await import('undici')
  const dispatcher = new Agent({ connect: tls })
  return (url, init) =>
    send(url, { ...init, dispatcher } as Parameters<typeof send>[1]) as unknown as Promise<Response>
}
