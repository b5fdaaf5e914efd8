import type { NatsConnection } from '@nats-io/nats-core'
import { type AgentClient, type ConnectOptions, connect, type SubmitOptions } from '../client/client.ts'
import type { Credentials } from '../client/credentials.ts'
import type { JobHandle } from '../client/job-handle.ts'
import { ClientError, failed, type Result, success } from '../client/result.ts'
import { pause } from '../client/retry.ts'
import type { SubmitRequest } from '../client/types.ts'
import { createNatsFetch, type NatsFetchOptions } from './fetch-by-nats.ts'
import { type FleetHost, findHosts } from './find-hosts.ts'
import { authorityOf, type FleetLabel, isHostName, parseLabel } from './names.ts'
import { createQueue } from './queue/create-queue.ts'
import type { Queue } from './queue/queue.ts'

export type { AgentClient, Job, JobHandle, SubmitRequest } from '../client/client.ts'
export { ClientError, type Credentials, type Result } from '../client/client.ts'
export type { FleetHost } from './find-hosts.ts'
export type { FleetLabel } from './names.ts'
export type { Queue, QueueSubmitOptions } from './queue/queue.ts'
export type { QueuedJob } from './queue/queued-job.ts'

export interface FleetOptions extends Pick<NatsFetchOptions, 'inbox' | 'controlAs'> {
  /** What proves to the agents who asks: a secret or a private key, which sign each request whole. */
  credentials: Credentials
  /** The language of messages; English by default. */
  language?: 'en' | 'zh' | undefined
  /** How long an agent that does not answer is tried again, in milliseconds; a minute by default. */
  patienceMs?: number | undefined
}

/** Many agents on one engine of NATS. */
export interface Fleet {
  /** Those that are there now, and have all of these labels, such as "role=db". */
  hosts(labels?: readonly (FleetLabel | string)[]): Promise<FleetHost[]>
  /** One of them, by its name. Throws TypeError for what is none. */
  agent(name: string, options?: Pick<ConnectOptions, 'patienceMs'>): AgentClient
  /** Any one of them that has a label, and a free slot. Throws TypeError for a label that is none. */
  any(label: FleetLabel | string): AnyHost
  /** Where work waits until one of them has a free slot. */
  readonly queue: Queue
}

export interface AnyHost {
  /**
   * Resolves as soon as it runs, with the host that has taken it. Fails with `no-room` when none has a free slot. What
   * a host may have begun is not sent again, for another host would run it once more; what was refused because others
   * had just taken the slots there, or because the host is about to end, is, a few times.
   */
  submit(request: SubmitRequest, options?: SubmitOptions): Promise<Result<{ host: string; job: JobHandle }>>
}

/** Sends nothing by itself; the connection stays the caller's. Throws TypeError for credentials that sign nothing. */
export const connectFleet = (connection: NatsConnection, options: FleetOptions): Fleet => {
  const { credentials, language, patienceMs, ...rest } = options
  refuseWeak(credentials)
  const fetch = createNatsFetch(connection, rest)
  const agent: Fleet['agent'] = (name, more = {}) => {
    if (!isHostName(name)) throw new TypeError(`${name}: is no name of a host of a fleet`)
    return connect(`http://${authorityOf({ to: 'host', host: name })}/`, {
      credentials,
      fetch,
      language,
      patienceMs,
      ...more,
    })
  }
  return {
    hosts: async (labels = []) => {
      const wanted = labels.map(toLabel)
      const found = await findHosts(connection, rest)
      return found.filter(host => wanted.every(({ name, value }) => host.labels[name] === value))
    },
    agent,
    any: label => {
      const authority = authorityOf({ to: 'any', label: toLabel(label) })
      return {
        submit: (request, more) =>
          whileRefused(more?.signal, async () => {
            let host: string | undefined
            const client = connect(`http://${authority}/`, {
              credentials,
              language,
              patienceMs: 0,
              async fetch(url, init) {
                const response = await fetch(url, init)
                host = response.headers.get(HOST_HEADER) ?? undefined
                return response
              },
            })
            const submitted = await client.submit(request, more)
            if (!submitted.ok)
              return failed(isNoRoom(submitted.error) ? noRoom(submitted.error) : submitted.error)
            if (host === undefined || !isHostName(host))
              return failed(new ClientError('not-an-agent', 'who has answered does not say which host it is'))
            return success({ host, job: agent(host).job(submitted.value.id) })
          }),
      }
    },
    queue: createQueue(connection, { credentials, patienceMs }),
  }
}

/** A token could be used by whoever runs the engine, and the signature of the contract covers no request. */
function refuseWeak(
  credentials: Credentials,
): asserts credentials is Exclude<Credentials, { token: string }> {
  if ('token' in credentials || ('secret' in credentials && credentials.signature === 'contract'))
    throw new TypeError('a fleet takes a secret or a private key, which sign each request whole (RFC 9421)')
}

const toLabel = (label: FleetLabel | string): FleetLabel => {
  const found = typeof label === 'string' ? parseLabel(label) : label
  if (!found) throw new TypeError(`${label}: is no label such as role=db`)
  return found
}

/** Nobody listens who has room, or the host has none any more. */
const isNoRoom = ({ word, cause }: ClientError): boolean =>
  REFUSED_HERE.has(word) || (word === 'unreachable' && Object(cause).fault === 'nobody-there')

/** Refusals after which nothing has begun, and another host may take the job. */
const REFUSED_HERE = new Set(['too-many-jobs', 'draining', 'stopping'])

/**
 * The engine may hand a host more than it has slots, or something when it is about to end, while another has room: it
 * does not know yet.
 */
const whileRefused = async <T>(
  signal: AbortSignal | undefined,
  submit: () => Promise<Result<T>>,
): Promise<Result<T>> => {
  for (let tries = 1; ; tries++) {
    const submitted = await submit()
    const isRefused = !submitted.ok && REFUSED_HERE.has(Object(submitted.error.cause).word)
    if (!isRefused || tries >= MOST_TRIES) return submitted
    await pause(PAUSE_MS * (0.5 + Math.random()), signal)
  }
}

const noRoom = (cause: ClientError): ClientError =>
  new ClientError('no-room', 'no host with this label has a free slot', { cause })

const MOST_TRIES = 5
const PAUSE_MS = 100
const HOST_HEADER = 'Newdt-Host'
