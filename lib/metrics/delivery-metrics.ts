import { Counter, Gauge, type Registry } from 'prom-client'

/** How much waits, for each sink to which something is delivered. */
export type Waiting = { sink: string; pending: number }[]

/** What waits to be delivered to others, and what has come of it. The result counts. */
export const createDeliveryMetrics = (registry: Registry, waiting: () => Waiting) => {
  const registers = [registry]
  const labelNames = ['sink'] as const
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers })
  new Gauge({
    name: 'newdt_outbox_pending',
    help: 'What waits to be delivered to others.',
    labelNames,
    registers,
    collect() {
      for (const { sink, pending } of waiting()) {
        this.set({ sink }, pending)
        // From 0 on: an alert must see the first that is given up as an increase.
        for (const one of Object.values(counters)) one.inc({ sink }, 0)
      }
    },
  })
  const counters = {
    delivered: counter('newdt_outbox_delivered_total', 'What was delivered to others.'),
    failed: counter('newdt_outbox_failed_tries_total', 'Tries to deliver something that have failed.'),
    'given-up': counter('newdt_outbox_given_up_total', 'What was given up, and is never delivered.'),
  }
  return (sink: string, what: keyof typeof counters): void => counters[what].inc({ sink })
}
