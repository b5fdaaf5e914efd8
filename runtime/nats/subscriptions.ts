import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core'
import type { Log } from '../../lib/base/log.ts'
import { type Address, type FleetLabel, subjectOf } from '../../lib/fleet/names.ts'

export interface SubscriptionsOptions {
  connection: NatsConnection
  host: string
  labels: readonly FleetLabel[]
  /** Must not throw. */
  serve(message: Msg, address: Address): void
  log: Log
}

/**
 * The subjects on which the agent is asked. What the engine has sent before it hears that the agent leaves a subject is
 * served still: nobody else gets it. Where another agent has the name nothing is served any more: what is for the name
 * that one gets too, and a job that is started here could not be found by its host's name.
 */
export const createSubscriptions = ({ connection, host, labels, serve, log }: SubscriptionsOptions) => {
  const open = new Map<string, Subscription>()
  const leaving = new Map<Subscription, Promise<void>>()
  let isServing = false
  let isFree = false

  const addresses: Address[] = [
    { to: 'host', host },
    { to: 'all' },
    ...labels.map((label): Address => ({ to: 'label', label })),
  ]
  const wanted = (): [subject: string, address: Address, queue?: string][] => {
    if (!isServing) return []
    const all = addresses.map((address): [string, Address] => [`${subjectOf(address)}.*`, address])
    if (!isFree) return all
    const any = labels.map((label): [string, Address, string] => {
      const address: Address = { to: 'any', label }
      // Only what needs a slot is for one of many.
      return [`${subjectOf(address)}.run`, address, QUEUE_GROUP]
    })
    return [...all, ...any]
  }

  const subscribe = (subject: string, address: Address, queue?: string): Subscription => {
    const subscription = connection.subscribe(subject, {
      ...(queue !== undefined && { queue }),
      callback(error, message) {
        if (!error) return serve(message, address)
        // The library has ended it; it is tried again with the next connection. It may be one that was left before.
        if (open.get(subject) === subscription) open.delete(subject)
        log.error({ subject, error: error.message }, 'THE ENGINE DOES NOT LET THE AGENT SERVE A SUBJECT')
      },
    })
    return subscription
  }

  const leave = (subscription: Subscription): void => {
    const drained = subscription
      .drain()
      .catch(() => {}) // The connection is being closed.
      .finally(() => leaving.delete(subscription))
    leaving.set(subscription, drained)
  }

  const update = (): void => {
    if (connection.isClosed()) return
    const all = wanted()
    const subjects = new Set(all.map(([subject]) => subject))
    for (const [subject, subscription] of open) {
      if (subjects.has(subject)) continue
      open.delete(subject)
      leave(subscription)
    }
    for (const [subject, address, queue] of all) {
      if (!open.has(subject)) open.set(subject, subscribe(subject, address, queue))
    }
  }

  return {
    /** Serves all subjects; or none from this moment on. */
    serve(isNow: boolean): void {
      isServing = isNow
      update()
      if (isNow) return
      for (const subscription of leaving.keys()) subscription.unsubscribe()
      leaving.clear()
    },
    /** Serves none from now on, but what comes before the engine knows that; resolves then, or without a connection. */
    async close(): Promise<void> {
      isServing = false
      update()
      await Promise.race([Promise.all(leaving.values()), connection.closed()])
    },
    /** Whether there is a free slot: only then one of many is asked to run something. */
    free(isNow: boolean): void {
      if (isFree === isNow) return
      isFree = isNow
      update()
    },
    /** Tries again what the engine has refused. */
    update,
  }
}

/** One of those that are in it gets each message. */
const QUEUE_GROUP = 'newdt'
