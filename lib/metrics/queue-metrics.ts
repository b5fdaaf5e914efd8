import { Counter, type Registry } from 'prom-client'

/** What has become of messages that came from the queue of a fleet. The result counts. */
export const createQueueMetrics = (registry: Registry) => {
  const messages = new Counter({
    name: 'newdt_queue_messages_total',
    help: 'Messages that came from the queue of the fleet, by what has become of them.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  return (outcome: string): void => messages.inc({ outcome })
}
