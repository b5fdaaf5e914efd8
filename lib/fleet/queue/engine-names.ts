import { type FleetLabel, labelText, type Priority } from '../names.ts'

/** What the queue is kept in, on the engine. */
export const QUEUE_STREAM = 'NEWDT_QUEUE'
export const DEAD_STREAM = 'NEWDT_DEAD'
export const EVENT_STREAM = 'NEWDT_EVENTS'
export const RECORD_BUCKET = 'newdt-queue'
export const LEASE_BUCKET = 'newdt-leases'

/** How long the engine may take for an answer, in milliseconds. */
export const ENGINE_ANSWER_MS = 5000

/** The engine counts in nanoseconds: so many in a millisecond. */
export const NANOS_A_MS = 1_000_000

/** Headers of a message that was put aside. */
export const DEAD_HEADERS = {
  reason: 'Newdt-Dead-Reason',
  host: 'Newdt-Dead-Host',
  /** Of a body that has no room beside them. */
  bytes: 'Newdt-Dead-Body-Bytes',
  digest: 'Newdt-Dead-Body-SHA256',
} as const

/** The consumer that all agents with a label share; names of consumers have no dot. */
export const consumerNameOf = (label: FleetLabel, priority: Priority): string =>
  `${labelText(label).replaceAll('.', '%')}${priority === 'high' ? ':high' : ''}`

/** The keys of the leases of a label begin so; keys have no "%". */
export const leasePrefixOf = ({ name, value }: FleetLabel): string => `${name}.${value.replaceAll('.', '=')}.`
