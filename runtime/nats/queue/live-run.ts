import { wordMs } from '../../../lib/fleet/queue/doubt.ts'
import { expiryOf, type QueuedMessage } from '../../../lib/fleet/queue/message.ts'
import type { RunEnd } from '../../../lib/fleet/queue/queued-job.ts'
import type { Delivery } from './delivery.ts'
import type { Lease } from './leases.ts'
import type { Slot } from './slots.ts'

export interface LiveRunOptions {
  message: QueuedMessage
  delivery: Delivery
  /** Promised to it until it is a job. */
  slot: Slot
  /** It has become this job. */
  onJob(jobId: string): void
  /** Each time that the engine is told that this agent is at it: who doubts that is to be told as well. */
  onBeat(): void
}

/** A queued job that this agent is at. Until it is closed the engine is told so. */
export const createLiveRun = ({ message, delivery: first, slot: own, onJob, onBeat }: LiveRunOptions) => {
  let delivery = first
  let slot = own
  let lease: Lease | undefined
  let jobId: string | undefined
  let isClosed = false
  const beat = (): void => {
    delivery.inProgress()
    onBeat()
  }
  const timer = setInterval(beat, wordMs(first.from.ackWaitMs)).unref()

  return {
    id: message.id,
    message,
    /** Wall time in milliseconds. */
    expiresAt: expiryOf(message),
    /** Of the run, from 1 on; 0 while this agent has none. */
    number: 0,
    /** How its job has ended, which is to be recorded. */
    runEnd: undefined as RunEnd | undefined,
    /** Whether that is, and the engine is being told. */
    isSettled: false,
    delivery: (): Delivery => delivery,
    jobId: (): string | undefined => jobId,
    isClosed: (): boolean => isClosed,
    beat,

    /** It is this job. */
    becomes(id: string): void {
      if (jobId !== undefined) return
      jobId = id
      slot.release()
      onJob(id)
    },

    /** For something else than a slot. */
    waits: (): void => slot.release(),
    holdSlot(held: Slot): void {
      slot = held
    },

    /** The engine has given it once more: what it is told from now on, it is told of that. */
    redelivered(again: Delivery): void {
      delivery = again
      beat()
    },

    hasLease: (): boolean => lease !== undefined,
    hold(held: Lease): void {
      lease = held
    },

    close(): void {
      isClosed = true
      clearInterval(timer)
      void lease?.release()
      lease = undefined
      slot.release()
    },
  }
}

export type LiveRun = ReturnType<typeof createLiveRun>
