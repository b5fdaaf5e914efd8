import { createFairShare } from '../../lib/base/fair-share.ts'
import { within } from '../../lib/base/within.ts'
import { refusal } from './refusal.ts'

export interface BodyBudgetOptions {
  /** Of all bodies together. */
  bytes: number
  /** How long a body waits for room, in milliseconds. */
  waitMs?: number
}

/** How much all bodies that are being received may take; callers share it. */
export const createBodyBudget = ({ bytes, waitMs = WAIT_MS }: BodyBudgetOptions) => {
  const share = createFairShare(bytes, TIMES)
  let room = Promise.withResolvers<true>()

  const giveBack = (caller: string, size: number): void => {
    share.giveBack(caller, size)
    room.resolve(true)
    room = Promise.withResolvers()
  }

  return {
    /** Resolves when there is room, with what gives it back. Rejects with AgentError too-many-bodies. */
    async reserve(caller: string, size: number): Promise<Disposable> {
      const end = performance.now() + waitMs
      while (!share.hasRoom(caller, size)) {
        const isThere = await within(room.promise, Math.max(0, end - performance.now()))
        if (!isThere) throw refusal('too-many-bodies')
      }
      share.take(caller, size)
      return { [Symbol.dispose]: () => giveBack(caller, size) }
    },
  }
}

const WAIT_MS = 2000

/** Two who have what they may have leave a quarter, and a third gets the largest body through. */
const TIMES = 1
