import { setTimeout } from 'node:timers/promises'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { newInbox, newToken } from '../../../lib/fleet/inbox.ts'
import { ENGINE_ANSWER_MS, NANOS_A_MS, QUEUE_STREAM } from '../../../lib/fleet/queue/engine-names.ts'
import { headersOf } from '../../../lib/fleet/wire.ts'
import { createDelivery, type Delivery, giveBackAtOnce, positionOf } from './delivery.ts'
import type { QueueConsumer } from './ensure-engine.ts'

/**
 * Asks the engine for one message at a time. The library's own consumers ask for more than one, or wait for each; what
 * is wanted here is to know at any time how many may come.
 */
export const createPulls = (
  connection: NatsConnection,
  inboxPrefix: string,
  current: () => NatsConnection | undefined = () => connection,
) => {
  const base = newInbox(inboxPrefix)
  const waiting = new Map<
    string,
    { consumer: string; settle(message: Msg | undefined): void; fail(error: Error): void }
  >()
  const subscription = connection.subscribe(`${base}.*`, {
    callback(error, message) {
      if (error) return
      const from = positionOf(message.reply)?.consumer
      // A message has the subject that it was published to; what the engine itself says has that of the inbox.
      const asked = from === undefined ? waiting.get(message.subject.slice(base.length + 1)) : askedOf(from)
      if (asked) asked.settle(message)
      // Too late: another agent may have it at once.
      else giveBackAtOnce(connection, message)
    },
  })

  const askedOf = (consumer: string) => [...waiting.values()].find(one => one.consumer === consumer)

  const answer = async (token: string, consumer: string, ms: number): Promise<Msg | undefined> => {
    const { promise, resolve, reject } = Promise.withResolvers<Msg | undefined>()
    waiting.set(token, { consumer, settle: resolve, fail: reject })
    const timer = globalThis.setTimeout(resolve, ms, undefined)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      waiting.delete(token)
    }
  }

  return {
    /**
     * The next message of a consumer; undefined when none comes within `waitMs`, or the connection breaks. Rejects when
     * the engine says that there is no such consumer; with PullForbiddenError when the agent may not ask for it.
     */
    async pull(from: QueueConsumer, waitMs: number): Promise<Delivery | undefined> {
      const token = newToken()
      const asked = waitMs > 0 ? { batch: 1, expires: waitMs * NANOS_A_MS } : { batch: 1, no_wait: true }
      connection.publish(subjectOf(from.name), JSON.stringify(asked), { reply: `${base}.${token}` })
      const message = await answer(token, from.name, waitMs + ENGINE_ANSWER_MS)
      if (!message) return undefined
      if (positionOf(message.reply)) return createDelivery(current, message, from)
      const headers = headersOf(message)
      if (headers?.code === NONE || headers?.code === EXPIRED) return undefined
      const description = headers?.description ?? ''
      if (PASSING.test(description)) {
        await setTimeout(PASSING_MS, undefined, { ref: false })
        return undefined
      }
      throw new Error(description || 'the engine has no queue')
    },

    /** The engine does not let the agent publish to this subject. */
    forbidden(subject: string): void {
      for (const { consumer, fail } of waiting.values())
        if (subjectOf(consumer) === subject) fail(new PullForbiddenError(subject))
    },

    /** Nothing comes any more of what was asked for. */
    forget(): void {
      for (const { settle } of waiting.values()) settle(undefined)
    },

    close(): void {
      subscription.unsubscribe()
      for (const { settle } of waiting.values()) settle(undefined)
    },
  }
}

export class PullForbiddenError extends Error {
  constructor(subject: string) {
    super(`the agent may not publish to ${subject}`)
  }
}

export type Pulls = ReturnType<typeof createPulls>

/** An engine that ends says so, and that another server of it is asked now. */
const PASSING = /shutdown|leadership/i
const PASSING_MS = 500
const subjectOf = (consumer: string): string => `$JS.API.CONSUMER.MSG.NEXT.${QUEUE_STREAM}.${consumer}`

const NONE = 404
const EXPIRED = 408
