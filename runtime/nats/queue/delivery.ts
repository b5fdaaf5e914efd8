import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { NANOS_A_MS } from '../../../lib/fleet/queue/engine-names.ts'
import type { QueueConsumer } from './ensure-engine.ts'

/** A message that this agent has, until it is acknowledged or given back; or was silent for too long. */
export interface Delivery {
  message: Msg
  from: QueueConsumer
  /** How often it was given to somebody, this time included. */
  count: number
  /** It is done with, and taken out of the queue. */
  acknowledge(): void
  /** Others may have it, after `delayMs`. */
  giveBack(delayMs?: number): void
  /** Somebody is at it. */
  inProgress(): void
}

/** `connection` gives the one that there is now; without one what is said is lost, and the engine gives it to another. */
export const createDelivery = (
  connection: () => NatsConnection | undefined,
  message: Msg,
  from: QueueConsumer,
): Delivery => {
  const say = (word: string): void => sayTo(connection(), message, word)
  return {
    message,
    from,
    count: positionOf(message.reply)?.count ?? 1,
    acknowledge: () => say('+ACK'),
    giveBack: (delayMs = 0) => say(nak(delayMs)),
    inProgress: () => say('+WPI'),
  }
}

/** Of a message that nobody waits for any more. */
export const giveBackAtOnce = (connection: NatsConnection, message: Msg): void =>
  sayTo(connection, message, nak(0))

/**
 * Where a message is in its stream, and by which consumer it came, as the subject says that it is acknowledged on:
 * `$JS.ACK.<stream>.<consumer>.<count>.<position>…`, with a domain and the hash of an account before the stream in a
 * newer form. Undefined for another subject.
 */
export const positionOf = (reply = ''): { consumer: string; position: string; count: number } | undefined => {
  const parts = reply.split('.')
  if (parts[0] !== '$JS' || parts[1] !== 'ACK' || parts.length < 9) return undefined
  const [, consumer = '', count = '', position = ''] = parts.slice(parts.length > 9 ? 4 : 2)
  return { consumer, position, count: Number(count) || 1 }
}

const nak = (delayMs: number): string =>
  delayMs > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delayMs * NANOS_A_MS) })}` : '-NAK'

const sayTo = (connection: NatsConnection | undefined, { reply }: Msg, word: string): void => {
  if (!reply || !positionOf(reply)) return
  try {
    connection?.publish(reply, word)
  } catch {
    // It is closed.
  }
}
