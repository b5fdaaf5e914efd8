import { after } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { connect as connectAgent } from '../../lib/client/client.ts'
import { createNatsFetch } from '../../lib/fleet/fetch-by-nats.ts'
import type { FleetLabel } from '../../lib/fleet/names.ts'
import { createQueue } from '../../lib/fleet/queue/create-queue.ts'
import { QUEUE_STREAM } from '../../lib/fleet/queue/engine-names.ts'
import type { QueueSubmitOptions } from '../../lib/fleet/queue/queue.ts'
import type { QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import { ensureQueue } from '../../runtime/nats/queue/ensure-engine.ts'
import { SECRET } from './agent.ts'
import type { NatsServer } from './nats-server.ts'
import { waitFor } from './wait-for.ts'

export const DB: FleetLabel = { name: 'role', value: 'db' }

const open = new Set<NatsConnection>()
after(async () => {
  await Promise.all([...open].map(connection => connection.close()))
})

export interface PublisherOptions {
  /** How long the engine waits for a word of an agent, in milliseconds; as agents have it by themselves when absent. */
  ackWaitMs?: number
  leaseMs?: number
  labels?: FleetLabel[]
  secret?: string
  keyId?: string
}

/** Who submits to the queue of an engine; an administrator besides, who makes its consumers first. */
export const createPublisher = async (engine: Pick<NatsServer, 'url'>, options: PublisherOptions = {}) => {
  const { ackWaitMs, leaseMs, labels = [DB], secret = SECRET, keyId } = options
  const url = new URL(engine.url)
  const connection = await connect({
    servers: url.host,
    ...(url.username !== '' && { user: url.username, pass: url.password }),
    name: 'publisher',
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  })
  open.add(connection)
  const credentials = { secret, ...(keyId !== undefined && { keyId }) }
  const manager = await jetstreamManager(connection)
  // As an administrator may make them before there is any agent.
  if (ackWaitMs !== undefined || leaseMs !== undefined)
    await ensureQueue(connection, labels, { ackWaitMs, leaseMs })
  const queue = createQueue(connection, { credentials })
  const fetch = createNatsFetch(connection)
  return {
    connection,
    manager,
    queue,
    client: (host: string) => connectAgent(`http://${host}.host.newdt/`, { credentials, fetch }),

    /** Submits a command for the label `role=db`; the id. */
    async submit(cmd: string, more: Partial<QueueSubmitOptions> = {}): Promise<string> {
      const submitted = await queue.submit({ cmd }, { label: DB, ...more })
      if (!submitted.ok) throw submitted.error
      return submitted.value.id
    },

    /** The job when it is final. */
    async end(id: string): Promise<QueuedJob> {
      // One that was published without this client has no record before an agent makes it.
      await waitFor(`there is a record of ${id}`, async () => (await queue.show(id)).ok)
      const ended = await queue.wait(id, { signal: AbortSignal.timeout(60_000) })
      if (!ended.ok) throw ended.error
      return ended.value
    },

    async show(id: string): Promise<QueuedJob> {
      const found = await queue.show(id)
      if (!found.ok) throw found.error
      return found.value
    },

    async running(id: string): Promise<QueuedJob> {
      return waitFor(`${id} runs`, async () => {
        const found = await queue.show(id)
        const run = found.ok ? found.value.runs.at(-1) : undefined
        return found.ok && found.value.state === 'running' && run?.job && found.value
      })
    },

    /** How many messages are in the queue, those that run included. */
    async countQueued(): Promise<number> {
      return (await manager.streams.info(QUEUE_STREAM)).state.messages
    },

    async [Symbol.asyncDispose](): Promise<void> {
      open.delete(connection)
      await connection.close()
    },
  }
}

export type Publisher = Awaited<ReturnType<typeof createPublisher>>
