import { within } from '../../../lib/base/within.ts'
import { labelText } from '../../../lib/fleet/names.ts'
import type { Lease, Leases } from './leases.ts'
import type { LiveRun } from './live-run.ts'
import type { Slots } from './slots.ts'

export interface LeaseTurnsOptions {
  leases: Pick<Leases, 'acquire'>
  slots: Pick<Slots, 'left' | 'promise'>
  /** Whether this agent begins nothing more. */
  isLeaving(): boolean
  /** Between times that a lease is asked for, in milliseconds. */
  lookMs?: number
}

interface Waiter {
  run: LiveRun
  /** Of performance.now(). */
  until: number
  settle(lease: Lease | undefined): void
}

/** Those of one label and one limit. */
interface Room {
  limit: number
  waiters: Waiter[]
  wake(): void
}

/**
 * Has what finds no lease wait for one, without a slot and with its message kept: a few of each label and limit, of
 * which only the first one asks. All others are given back, so that they hold up nothing that needs no lease.
 */
export const createLeaseTurns = ({ leases, slots, isLeaving, lookMs = LOOK_MS }: LeaseTurnsOptions) => {
  const rooms = new Map<string, Room>()
  let backAt = 0
  let isClosed = false

  /** When it is given back, whoever waits here may have it. */
  const acquire = async ({ id, delivery }: LiveRun, limit: number): Promise<Lease | undefined> => {
    const { label } = delivery().from
    const lease = await leases.acquire(label, limit, id)
    return (
      lease && {
        async release(): Promise<void> {
          await lease.release()
          for (const [key, room] of rooms) if (key.startsWith(`${labelText(label)}/`)) room.wake()
        },
      }
    )
  }

  const dismiss = (room: Room, isTooMany: (one: Waiter) => boolean): void => {
    const gone = room.waiters.filter(isTooMany)
    room.waiters = room.waiters.filter(one => !gone.includes(one))
    for (const one of gone) one.settle(undefined)
  }

  /** The first one, as long as there is a slot for it; where there is none other agents may have one. */
  const serve = async (room: Room): Promise<void> => {
    const first = room.waiters[0]!
    const slot = slots.promise()
    const lease = await acquire(first.run, room.limit).catch(() => undefined)
    if (lease && room.waiters[0] === first) {
      room.waiters.shift()
      first.run.holdSlot(slot)
      first.settle(lease)
      room.wake()
    } else {
      slot.release()
      void lease?.release()
    }
  }

  const watch = async (key: string, room: Room): Promise<void> => {
    while (room.waiters.length > 0) {
      const woken = Promise.withResolvers<void>()
      room.wake = woken.resolve
      const isOver = isClosed || isLeaving() || slots.left() <= 0
      dismiss(room, ({ run, until }) => isOver || run.isClosed() || performance.now() > until)
      if (room.waiters.length === 0) break
      await serve(room)
      // Each of the leases is asked for; those of others become free without anybody saying so here.
      await within(woken.promise, Math.max(lookMs, room.limit * EACH_MS) * (0.75 + Math.random() / 2))
    }
    rooms.delete(key)
  }

  const enter = (key: string, limit: number, run: LiveRun): Promise<Lease | undefined> => {
    const { promise, resolve } = Promise.withResolvers<Lease | undefined>()
    const waiter = { run, until: performance.now() + LONGEST_MS, settle: resolve }
    const earlier = rooms.get(key)
    const room = earlier ?? { limit, waiters: [], wake() {} }
    const behind = isHigh(run) ? room.waiters.filter(one => isHigh(one.run)).length : room.waiters.length
    room.waiters.splice(behind, 0, waiter)
    rooms.set(key, room)
    run.waits()
    if (!earlier) void watch(key, room)
    return promise
  }

  const isFull = (key: string, run: LiveRun): boolean => {
    const all = [...rooms.values()].reduce((sum, { waiters }) => sum + waiters.length, 0)
    const own = (rooms.get(key)?.waiters ?? []).filter(one => isHigh(one.run) === isHigh(run))
    return isClosed || all >= MOST_WAITING || own.length >= MOST_OF_A_KIND
  }

  return {
    /**
     * Undefined for one that is to be given back. It may have taken a while, in which its record may have changed.
     * Rejects when the engine does not answer.
     */
    async get(run: LiveRun, limit: number): Promise<{ lease: Lease; hasWaited: boolean } | undefined> {
      const key = `${labelText(run.delivery().from.label)}/${limit}`
      const first = rooms.has(key) ? undefined : await acquire(run, limit)
      if (first) return { lease: first, hasWaited: false }
      if (isFull(key, run)) return undefined
      const lease = await enter(key, limit, run)
      return lease && { lease, hasWaited: true }
    },

    /**
     * After how many milliseconds one that is given back may come again: however many there are, those of this agent
     * come one after the other.
     */
    backMs(): number {
      // At once: nats-server 2.9 keeps what it would give to the pull of an agent that is gone until ack_wait.
      if (isClosed || isLeaving()) return 0
      const now = Date.now()
      backAt = Math.max(backAt + SPACING_MS, now + LEAST_BACK_MS * (1 + Math.random()))
      return Math.min(backAt - now, MOST_BACK_MS)
    },

    /** Whoever waits is given back. */
    close(): void {
      isClosed = true
      for (const room of rooms.values()) {
        dismiss(room, () => true)
        room.wake()
      }
    },
  }
}

export type LeaseTurns = ReturnType<typeof createLeaseTurns>

const isHigh = (run: LiveRun): boolean => run.delivery().from.priority === 'high'

/** Of one label, one limit and one priority. */
const MOST_OF_A_KIND = 4
const MOST_WAITING = 16
/** Then another agent may have better luck. */
const LONGEST_MS = 60_000
const LOOK_MS = 1000
/** For each lease that there may be. */
const EACH_MS = 25
const LEAST_BACK_MS = 1000
const MOST_BACK_MS = 300_000
/** So of any number of them fifty come in a second. */
const SPACING_MS = 20
