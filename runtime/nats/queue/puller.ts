import { pause } from '../../../lib/client/retry.ts'
import type { Priority } from '../../../lib/fleet/names.ts'
import type { Delivery } from './delivery.ts'
import type { QueueConsumer } from './ensure-engine.ts'
import { PullForbiddenError } from './pulls.ts'
import type { Slot, Slots } from './slots.ts'

export interface PullerOptions {
  consumers: readonly QueueConsumer[]
  slots: Pick<Slots, 'left' | 'promise'>
  pull(from: QueueConsumer, waitMs: number): Promise<Delivery | undefined>
  /** The slot is promised to the message until it is released. */
  take(delivery: Delivery, slot: Slot): unknown
  /** The engine has refused a pull. */
  onError(error: unknown): void
  /** The agent may not pull at this one. */
  onForbidden(from: QueueConsumer, error: PullForbiddenError): void
  /** How long a pull may wait, in milliseconds. */
  waitMs?: number
}

/**
 * Takes messages as long as there are free slots for them. Those of a high priority come first, and labels take turns.
 * Where nothing waits there is one pull at each consumer, also where there are fewer slots: what comes when all are
 * taken is given back at once, and nothing more is asked for there until a slot is free.
 */
export const createPuller = ({
  consumers,
  slots,
  pull,
  take,
  onError,
  onForbidden,
  waitMs = WAIT_MS,
}: PullerOptions) => {
  const over = new AbortController()
  const { signal } = over
  const out = new Set<QueueConsumer>()
  const restUntil = new Map<QueueConsumer, number>()
  /** Which consumer of a priority has given the latest message: the one behind it is first then. */
  const latest = new Map<Priority, QueueConsumer>()
  let wake = (): void => {}

  const hasRoom = (): boolean => !signal.aborted && slots.left() > 0

  /** Asks once; whether something has come. */
  const ask = async (from: QueueConsumer, ms: number): Promise<boolean> => {
    out.add(from)
    let delivery: Delivery | undefined
    try {
      delivery = await pull(from, ms)
    } catch (error) {
      failed(from, error)
    }
    out.delete(from)
    if (!delivery) return false
    // The slots may have been taken meanwhile, by requests that came directly or by what other pulls have given.
    if (!hasRoom()) {
      delivery.giveBack()
      return true
    }
    latest.set(from.priority, from)
    take(delivery, slots.promise())
    return true
  }

  const failed = (from: QueueConsumer, error: unknown): void => {
    const isForbidden = error instanceof PullForbiddenError
    restUntil.set(from, Date.now() + (isForbidden ? FORBIDDEN_REST_MS : ERROR_REST_MS))
    if (isForbidden) onForbidden(from, error)
    else onError(error)
  }

  /** High ones first; within a priority labels take turns. Without those at which a pull waits already. */
  const inOrder = (): QueueConsumer[] => {
    const now = Date.now()
    return (['high', 'normal'] as const).flatMap(priority => {
      const some = consumers.filter(one => one.priority === priority)
      const first = some.indexOf(latest.get(priority)!) + 1
      return [...some.slice(first), ...some.slice(0, first)].filter(
        one => !out.has(one) && (restUntil.get(one) ?? 0) <= now,
      )
    })
  }

  /** What is there already. */
  const askAll = async (): Promise<boolean> => {
    for (const from of inOrder()) {
      if (!hasRoom()) return false
      if (await ask(from, 0)) return true
    }
    return false
  }

  const waitAtAll = (): void => {
    if (!hasRoom()) return
    for (const from of inOrder()) void ask(from, aboutMs(waitMs)).then(() => wake())
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const woken = Promise.withResolvers<void>()
      wake = woken.resolve
      if (hasRoom() && (await askAll())) continue
      waitAtAll()
      // A slot may become free without anybody saying so.
      await Promise.race([woken.promise, pause(LOOK_MS, signal)])
    }
  }
  const done = run()

  return {
    /** A slot may be free. */
    wake: (): void => wake(),

    /** Takes nothing any more; what still comes is given back. */
    close(): Promise<void> {
      over.abort()
      return done
    },
  }
}

export type Puller = ReturnType<typeof createPuller>

/** Those of all agents must not come at once. */
const aboutMs = (ms: number): number => Math.round(ms * (0.75 + Math.random() / 2))

/**
 * An engine looks at all pulls of a consumer that wait whenever one comes: with thousands of agents they should come
 * seldom.
 */
const WAIT_MS = 600_000
const LOOK_MS = 1000
const ERROR_REST_MS = 5000
const FORBIDDEN_REST_MS = 60_000
