import { within } from '../../lib/base/within.ts'
import { refusal } from './refusal.ts'

export interface BodyBudgetOptions {
  /** Of all bodies together. */
  bytes: number
  /** How long a body waits for room, in milliseconds. */
  waitMs?: number
}

/**
 * How much all bodies that are being received may take. A caller may have four times as much as is left for everybody
 * else: one alone gets most of it, and the next one still finds some.
 */
export const createBodyBudget = ({ bytes, waitMs = WAIT_MS }: BodyBudgetOptions) => {
  const taken = new Map<string, number>()
  let all = 0
  let room = Promise.withResolvers<true>()

  const add = (caller: string, change: number): void => {
    all += change
    const own = (taken.get(caller) ?? 0) + change
    if (own === 0) taken.delete(caller)
    else taken.set(caller, own)
  }

  const take = (caller: string, size: number): boolean => {
    const own = (taken.get(caller) ?? 0) + size
    if (own > SHARE * (bytes - all - size)) return false
    add(caller, size)
    return true
  }

  const giveBack = (caller: string, size: number): void => {
    add(caller, -size)
    room.resolve(true)
    room = Promise.withResolvers()
  }

  return {
    /** Resolves when there is room, with what gives it back. Rejects with AgentError too-many-bodies. */
    async reserve(caller: string, size: number): Promise<Disposable> {
      const end = performance.now() + waitMs
      while (!take(caller, size)) {
        const isThere = await within(room.promise, Math.max(0, end - performance.now()))
        if (!isThere) throw refusal('too-many-bodies')
      }
      return { [Symbol.dispose]: () => giveBack(caller, size) }
    },
  }
}

const SHARE = 4
const WAIT_MS = 2000
