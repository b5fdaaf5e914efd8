import type { OutboxEntry } from '../store/outbox-store.ts'
import type { Pause } from './pauses.ts'

export type DeliveryOutcome =
  | 'delivered'
  /** Nobody wants it any more: it is given up at once. */
  | 'not-wanted'
  | DeliveryFailure

export interface DeliveryFailure {
  /** In words that anybody may read. */
  error: string
  /** More of it, for the log alone. */
  detail?: string | undefined
  /** It is not to be tried again before, in milliseconds. */
  notBeforeMs?: number | undefined
}

/** A way to deliver entries. */
export interface DeliverySink {
  /** Never rejects. Ends early when the signal is aborted. */
  deliver(entry: OutboxEntry, signal: AbortSignal): Promise<DeliveryOutcome>
  /** While it is false nothing is tried; absent where it always is. Who changes that wakes the delivery. */
  isReady?(): boolean
  /** How many at a time, of all, and for one origin. */
  atOnce: { all: number; origin: number }
  pause: Pause
  /** How long one is tried from its event on, and how often at least; absent where it is never given up. */
  givesUp?: { afterMs: number; leastTries: number } | undefined
}
