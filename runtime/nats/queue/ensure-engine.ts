import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { type FleetLabel, type Priority, queueSubjectOf } from '../../../lib/fleet/names.ts'
import {
  consumerNameOf,
  DEAD_STREAM,
  ENGINE_ANSWER_MS,
  EVENT_STREAM,
  LEASE_BUCKET,
  NANOS_A_MS,
  QUEUE_STREAM,
  RECORD_BUCKET,
} from '../../../lib/fleet/queue/engine-names.ts'
import { LONGEST_WAIT_MS } from '../../../lib/fleet/queue/queued-job.ts'

/** A consumer that jobs are taken from. */
export interface QueueConsumer {
  name: string
  label: FleetLabel
  priority: Priority
  /** After so long without a word of its agent the engine gives a job to another. */
  ackWaitMs: number
}

export interface QueueEngine {
  consumers: QueueConsumer[]
  records: KV
  leases: KV
  /** After so long a lease that is not renewed is free. */
  leaseMs: number
}

/** What is made is made with these, in milliseconds. */
export interface EngineTimes {
  ackWaitMs?: number | undefined
  leaseMs?: number | undefined
}

/**
 * Makes what the queue needs on the engine where it is missing. What is there is taken as it is: an administrator may
 * have made it. Rejects with what the engine says, and when it does not answer.
 */
export const ensureQueue = async (
  connection: NatsConnection,
  labels: readonly FleetLabel[],
  { ackWaitMs = ACK_WAIT_MS, leaseMs = LEASE_MS }: EngineTimes = {},
): Promise<QueueEngine> => {
  const manager = await managerOf(connection)
  await ensureStream(manager, QUEUE)
  await ensureStream(manager, DEAD)
  const buckets = new Kvm(jetstream(connection))
  const bucket = async (name: string, ttl: number): Promise<KV> => {
    if (!(await isThere(manager, `KV_${name}`)))
      await buckets.create(name, { ttl, history: 1, storage: StorageType.File })
    // Asked for at the stream's leader: what another agent has written is seen at once.
    return buckets.open(name, { allow_direct: false })
  }
  const records = await bucket(RECORD_BUCKET, LONGEST_WAIT_MS)
  const leases = await bucket(LEASE_BUCKET, leaseMs)
  const { config } = await manager.streams.info(`KV_${LEASE_BUCKET}`)
  const consumers: QueueConsumer[] = []
  for (const label of labels) {
    for (const priority of ['high', 'normal'] as const) {
      const name = consumerNameOf(label, priority)
      const subject = queueSubjectOf(label, priority)
      consumers.push({
        name,
        label,
        priority,
        ackWaitMs: await ensureConsumer(manager, name, subject, ackWaitMs),
      })
    }
  }
  return { consumers, records, leases, leaseMs: config.max_age / NANOS_A_MS || LEASE_MS }
}

/** What an agent needs that takes nothing, for the ends of what it took before. */
export const openQueue = async (connection: NatsConnection): Promise<QueueEngine> => {
  const buckets = new Kvm(jetstream(connection))
  const [records, leases] = await Promise.all(
    [RECORD_BUCKET, LEASE_BUCKET].map(name => buckets.open(name, { allow_direct: false })),
  )
  return { consumers: [], records: records!, leases: leases!, leaseMs: LEASE_MS }
}

/** Makes the stream of events where it is missing. */
export const ensureEvents = async (connection: NatsConnection): Promise<void> =>
  ensureStream(await managerOf(connection), EVENTS)

const managerOf = (connection: NatsConnection): Promise<JetStreamManager> =>
  jetstreamManager(connection, { checkAPI: false, timeout: ENGINE_ANSWER_MS })

const isThere = async (manager: JetStreamManager, name: string): Promise<boolean> => {
  try {
    await manager.streams.info(name)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

const ensureStream = async (manager: JetStreamManager, config: NamedConfig): Promise<void> => {
  if (await isThere(manager, config.name)) return
  try {
    await addStream(manager, config)
  } catch (error) {
    // Another agent may have been faster.
    if (!(await isThere(manager, config.name))) throw error
  }
}

/** An engine reserves what a stream may have at most: a small one has less. */
const addStream = async (manager: JetStreamManager, config: NamedConfig): Promise<void> => {
  const sizes = config.max_bytes === undefined ? [undefined] : [config.max_bytes, ...SMALLER_BYTES]
  for (const [number, max_bytes] of sizes.entries()) {
    try {
      await manager.streams.add({ ...config, ...(max_bytes !== undefined && { max_bytes }) })
      return
    } catch (error) {
      if (!isShortOfStorage(error) || number === sizes.length - 1) throw error
    }
  }
}

/** How long the engine waits for a word of an agent, in milliseconds. */
const ensureConsumer = async (
  manager: JetStreamManager,
  name: string,
  subject: string,
  ackWaitMs: number,
): Promise<number> => {
  const info = await manager.consumers.info(QUEUE_STREAM, name).catch(error => {
    if (!isMissing(error)) throw error
    return manager.consumers.add(QUEUE_STREAM, {
      durable_name: name,
      filter_subject: subject,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackWaitMs * NANOS_A_MS,
      max_deliver: -1,
      // Those that run on all agents count, and those that wait for a lease.
      max_ack_pending: -1,
      max_waiting: MOST_PULLS,
    })
  })
  return (info.config.ack_wait ?? ackWaitMs * NANOS_A_MS) / NANOS_A_MS
}

const isMissing = (error: unknown): boolean => error instanceof JetStreamApiError && error.status === 404

const isShortOfStorage = (error: unknown): boolean =>
  error instanceof JetStreamApiError && SHORT_OF_STORAGE.has(error.code)

type NamedConfig = Partial<StreamConfig> & Pick<StreamConfig, 'name'>

/** The names of what was published are kept so long, so that what is published again is not there twice. */
const DUPLICATE_MS = 10 * 60_000
const common = {
  storage: StorageType.File,
  duplicate_window: DUPLICATE_MS * NANOS_A_MS,
  max_age: LONGEST_WAIT_MS * NANOS_A_MS,
}
const QUEUE: NamedConfig = {
  ...common,
  name: QUEUE_STREAM,
  subjects: ['newdt.queue.>'],
  retention: RetentionPolicy.Workqueue,
  discard: DiscardPolicy.New,
}
const DEAD: NamedConfig = { ...common, name: DEAD_STREAM, subjects: ['newdt.dead.>'], max_bytes: 1 << 30 }
const EVENTS: NamedConfig = { ...common, name: EVENT_STREAM, subjects: ['newdt.event.>'], max_bytes: 1 << 30 }

const SMALLER_BYTES = [1 << 28, 1 << 26]
/** Of the engine (insufficient resources, storage), and of an account (its limit, what is left of it). */
const SHORT_OF_STORAGE = new Set([10_023, 10_047, 10_002, 10_028])

const ACK_WAIT_MS = 30_000
const LEASE_MS = 60_000
const MOST_PULLS = 20_000
