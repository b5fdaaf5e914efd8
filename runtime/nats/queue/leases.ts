import { setImmediate } from 'node:timers/promises'
import type { KV } from '@nats-io/kv'
import type { Log } from '../../../lib/base/log.ts'
import type { FleetLabel } from '../../../lib/fleet/names.ts'
import { leasePrefixOf } from '../../../lib/fleet/queue/engine-names.ts'
import { isConflict } from '../../../lib/fleet/queue/records.ts'

export interface LeasesOptions {
  /** The bucket of the connection that there is now. Throws when there is none. */
  bucket(): Pick<KV, 'get' | 'put' | 'delete'>
  /** After so long the engine frees a lease that is not renewed. */
  leaseMs(): number
  host: string
  log: Log
}

/** The right to run one of a label's jobs of which only so many may run at a time. */
export interface Lease {
  /** Resolves when others can have it. */
  release(): Promise<void>
}

/**
 * At most so many jobs of a label at a time, over the whole fleet: each has one of as many keys in a bucket, which only
 * one can create. An agent that is gone renews none, and the engine frees its own.
 */
export const createLeases = ({ bucket, leaseMs, host, log }: LeasesOptions) => {
  /** The revision of a key that is ours now; undefined where another has it. */
  const take = async (key: string, value: string): Promise<number | undefined> => {
    try {
      return await bucket().put(key, value, { previousSeq: 0 })
    } catch (error) {
      if (!isConflict(error)) throw error
    }
    const entry = await bucket().get(key)
    if (entry !== null && entry.operation === 'PUT') return undefined
    return put(key, value, entry?.revision ?? 0)
  }

  const put = async (key: string, value: string, revision: number): Promise<number | undefined> => {
    try {
      return await bucket().put(key, value, { previousSeq: revision })
    } catch (error) {
      if (isConflict(error)) return undefined
      throw error
    }
  }

  const hold = (key: string, value: string, first: number): Lease => {
    let revision = first
    let isHeld = true
    let renewing = Promise.resolve()

    const renew = async (): Promise<void> => {
      if (!isHeld) return
      try {
        // It may have been freed while the engine, or this agent, was away.
        const renewed = (await put(key, value, revision)) ?? (await regain())
        if (renewed !== undefined) {
          revision = renewed
          return
        }
        isHeld = false
        clearInterval(timer)
        log.warn({ lease: key }, 'a lease was lost while its job ran: another may run at the same time')
      } catch {
        // The engine is away; next time it may not be.
      }
    }
    /** A renewal whose answer was lost has another revision than is known here. */
    const regain = async (): Promise<number | undefined> => {
      const entry = await bucket().get(key)
      if (entry?.operation === 'PUT' && entry.string() !== value) return undefined
      return put(key, value, entry?.revision ?? 0)
    }
    const timer = setInterval(() => {
      renewing = renewing.then(renew)
    }, leaseMs() / 4).unref()

    const release = async (): Promise<void> => {
      clearInterval(timer)
      await renewing
      if (!isHeld) return
      isHeld = false
      // Else the engine frees it.
      await bucket()
        .delete(key, { previousSeq: revision })
        .catch(() => {})
    }
    return { release: () => tracked(release()) }
  }

  const acquire = async (label: FleetLabel, limit: number, id: string): Promise<Lease | undefined> => {
    const value = JSON.stringify({ host, id, since: new Date().toISOString() })
    const first = Math.floor(Math.random() * limit)
    for (let tried = 0; tried < limit; tried++) {
      const key = `${leasePrefixOf(label)}${(first + tried) % limit}`
      const revision = await take(key, value)
      if (revision !== undefined) return hold(key, value, revision)
    }
    return undefined
  }

  const underWay = new Set<Promise<unknown>>()
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work)
    const over = () => void underWay.delete(work)
    work.then(over, over)
    return work
  }

  return {
    /** Undefined when all are taken. Rejects when the engine does not answer. */
    acquire: (label: FleetLabel, limit: number, id: string): Promise<Lease | undefined> =>
      tracked(acquire(label, limit, id)),

    /** Resolves when nothing is asked of the engine any more: a lease that comes, or goes, after its agent stays taken. */
    async settled(): Promise<void> {
      while (underWay.size > 0) {
        await Promise.allSettled(underWay)
        // Who was given one too late gives it back now.
        await setImmediate()
      }
    },
  }
}

export type Leases = ReturnType<typeof createLeases>
