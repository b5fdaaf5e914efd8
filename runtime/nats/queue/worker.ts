import type { KV } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { countDown } from '../../../lib/base/count-down.ts'
import type { Log } from '../../../lib/base/log.ts'
import { within } from '../../../lib/base/within.ts'
import { pause } from '../../../lib/client/retry.ts'
import type { FleetLabel } from '../../../lib/fleet/names.ts'
import { createRecords } from '../../../lib/fleet/queue/records.ts'
import { createDeadLetters } from './dead-letters.ts'
import { ensureQueue, openQueue, type QueueConsumer, type QueueEngine } from './ensure-engine.ts'
import { createLeaseTurns } from './lease-turns.ts'
import { createLeases } from './leases.ts'
import { createPuller, type Puller } from './puller.ts'
import { createPulls, type PullForbiddenError } from './pulls.ts'
import { createRunner, type RunnerOptions } from './runner.ts'
import { createSlots } from './slots.ts'

export interface WorkerOptions
  extends Omit<RunnerOptions, 'records' | 'turns' | 'deadLetter' | 'onTrouble' | 'connectionNumber'> {
  labels: readonly FleetLabel[]
  inboxPrefix: string
  /** How many more jobs this agent can begin now; 0 when it takes none. */
  free(): number
  /** Whether it begins nothing more. */
  isLeaving(): boolean
  log: Log
}

/** Takes jobs from the queue of a fleet, whatever connection there is. */
export const createQueueWorker = (options: WorkerOptions) => {
  const { labels, host, inboxPrefix, free, isLeaving, log } = options
  let engine: QueueEngine | undefined
  let connected: NatsConnection | undefined
  let puller: Puller | undefined
  let isClosing = false
  let hasTried = false
  let connectionNumber = 0
  let onTrouble = (): void => {}

  const there = (): QueueEngine => {
    if (!engine) throw new Error('the queue is not there')
    return engine
  }
  const lazily = <Name extends 'records' | 'leases'>(name: Name): Pick<KV, 'get' | 'put' | 'delete'> => ({
    get: async (...args) => there()[name].get(...args),
    put: async (...args) => there()[name].put(...args),
    delete: async (...args) => there()[name].delete(...args),
  })
  const records = createRecords(lazily('records'))
  const leases = createLeases({
    bucket: () => lazily('leases'),
    leaseMs: () => engine?.leaseMs ?? 60_000,
    host,
    log,
  })
  const slots = createSlots(free, () => puller?.wake())
  const turns = createLeaseTurns({ leases, slots, isLeaving })
  const runner = createRunner({
    ...options,
    records,
    connectionNumber: () => connectionNumber,
    turns,
    onTrouble: () => onTrouble(),
    deadLetter: createDeadLetters(() => {
      if (!connected) throw new Error('the engine is not there')
      return connected
    }, host),
  })

  /** Of one connection. */
  const open = (connection: NatsConnection, onReady: () => void) => {
    const pulls = createPulls(connection, inboxPrefix, () => connected)
    let isServing = false
    let isConnected = true
    let isToldOf = false
    /** Tells attempts apart: a broken connection, and a rival, end those before. */
    let life = 0
    let timer: NodeJS.Timeout | undefined
    connected = connection
    const forbidden = new Set<string>()
    let isMending = false

    const begin = async (): Promise<void> => {
      const own = life
      try {
        const found = await find()
        if (own !== life) return
        engine = found
        hasTried = true
        onReady()
        if (isToldOf) log.info({}, 'the queue of the fleet can be used')
        isToldOf = false
        if (!isServing || isClosing || !takes()) return
        puller = createPuller({
          consumers: engine.consumers,
          slots,
          pull: pulls.pull,
          take: runner.take,
          onError: failed,
          onForbidden,
        })
      } catch (err) {
        if (own === life) failed(err)
      }
    }

    /** Where an agent takes nothing it still records the ends of what it has taken. */
    const takes = (): boolean => labels.length > 0

    const find = (): Promise<QueueEngine> =>
      takes() ? ensureQueue(connection, labels) : openQueue(connection)

    /** A bucket may have been deleted. */
    onTrouble = () => {
      if (isMending || !isConnected) return
      isMending = true
      // Not all agents at once, nor while the engine is still at the deletion: nats-server 2.9 may end by that.
      pause(MEND_MS * (0.5 + Math.random()), undefined)
        .then(find)
        .then(found => {
          if (connected === connection) engine = found
        })
        // Whoever needs it comes again.
        .catch(() => {})
        .finally(() => {
          isMending = false
        })
    }

    const onForbidden = ({ name }: QueueConsumer, { message }: PullForbiddenError): void => {
      if (!forbidden.has(name))
        log.error({ consumer: name, error: message }, 'NOTHING IS TAKEN FROM A QUEUE: it is tried again')
      forbidden.add(name)
    }

    const failed = (err: unknown): void => {
      if (!isToldOf)
        log.error(
          { error: err instanceof Error ? err.message : String(err) },
          'THE QUEUE OF THE FLEET CANNOT BE USED, for want of JetStream, of its storage or of a permission: it is tried again',
        )
      isToldOf = true
      hasTried = true
      onReady()
      end()
      timer = setTimeout(() => void begin(), AGAIN_MS * (0.5 + Math.random())).unref()
    }

    const end = (): void => {
      life++
      clearTimeout(timer)
      void puller?.close()
      puller = undefined
    }

    const again = (): void => {
      end()
      if (isConnected && !isClosing) void begin()
    }

    again()

    return {
      /** Whether this is the one agent of its name, which alone takes jobs. */
      serve(serving: boolean): void {
        if (isServing === serving) return
        isServing = serving
        again()
      },
      /** The engine does not let this agent publish to a subject. */
      forbidden: pulls.forbidden,
      disconnected(): void {
        connectionNumber++
        isConnected = false
        end()
        pulls.forget()
      },
      reconnected(): void {
        isConnected = true
        runner.inProgress()
        again()
      },
      close(): void {
        isConnected = false
        end()
        pulls.close()
        engine = undefined
        connected = undefined
      },
    }
  }

  return {
    open,
    /** A slot may be free, or none may be wanted any more. */
    wake: (): void => puller?.wake(),
    recordEnd: runner.recordEnd,
    isRecorded: runner.isRecorded,
    /** Whether it is known if ends can be recorded. */
    hasTried: (): boolean => hasTried,
    expiryOf: runner.expiryOf,
    countLive: runner.countLive,
    /** Takes nothing more, and waits a while until the ends of what has ended are recorded. */
    async close(ms: number): Promise<void> {
      const left = countDown(ms)
      isClosing = true
      void puller?.close()
      turns.close()
      await runner.idle(ms)
      runner.close()
      await within(leases.settled(), left())
    },
  }
}

const AGAIN_MS = 10_000
const MEND_MS = 1000
