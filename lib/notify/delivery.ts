import type { Log } from '../base/log.ts'
import { within } from '../base/within.ts'
import type { OutboxEntry, OutboxSink, OutboxStore } from '../store/outbox-store.ts'
import type { DeliveryFailure, DeliveryOutcome, DeliverySink } from './sinks.ts'

export interface DeliveryOptions {
  store: OutboxStore
  /** What has come of a try; `given-up` comes besides `failed`, if it was tried. */
  count(sink: OutboxSink, what: 'delivered' | 'failed' | 'given-up'): void
  log: Log
  /** Wall time in milliseconds. */
  now?(): number
  random?(): number
}

/**
 * Delivers what is in the outbox, at least once: in order for each job and target, so many at a time, and so that what
 * is slow for one origin does not hold up another. It begins with the first sink.
 */
export const createDelivery = ({
  store,
  count,
  log,
  now = Date.now,
  random = Math.random,
}: DeliveryOptions) => {
  const sinks = new Map<OutboxSink, Lane>()
  const stop = new AbortController()
  const underWay = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let turn: NodeJS.Immediate | undefined
  let isFailing = false
  let isClosed = false

  const wake = (): void => {
    if (isClosed) return
    turn ??= setImmediate(() => {
      turn = undefined
      look()
    })
  }
  const forget = store.onAdded(wake)

  const look = (): void => {
    if (isClosed) return
    clearTimeout(timer)
    const nowMs = store.now()
    let nextAt = nowMs + LONGEST_SLEEP_MS
    try {
      for (const lane of sinks.values()) nextAt = Math.min(nextAt, lookAt(lane, nowMs))
    } catch (err) {
      tellFailing(err)
      nextAt = nowMs + RETRY_MS
    }
    timer = setTimeout(look, Math.max(nextAt - nowMs, 1)).unref()
  }

  /** Begins what is due and may be begun; returns when the next one is due that is not yet. */
  const lookAt = (lane: Lane, nowMs: number): number => {
    const { name, sink, busy } = lane
    let nextAt = Number.POSITIVE_INFINITY
    if (!lane.isPulledIn) nextAt = nowMs + pullIn(lane)
    if (sink.isReady?.() === false) return nextAt
    for (const origin of inTurn(store.origins(name), lane)) {
      const ofOrigin = [...busy.values()].filter(one => one === origin).length
      const free = freeFor(ofOrigin, busy.size, sink.atOnce)
      if (free > 0) {
        // Those that are under way are still due, as the store has it.
        const due = store.due(name, origin, nowMs, ofOrigin + free).filter(({ number }) => !busy.has(number))
        for (const entry of due.slice(0, free)) begin(lane, entry)
      }
      nextAt = Math.min(nextAt, store.nextDueAt(name, origin, nowMs) ?? nextAt)
    }
    return nextAt
  }

  /** What is due as it is does not depend on it. Returns after which time more of it is to be done. */
  const pullIn = (lane: Lane): number => {
    try {
      lane.isPulledIn = store.pullIn(lane.name)
      return lane.isPulledIn ? LONGEST_SLEEP_MS : PULLED_IN_EVERY_MS
    } catch (err) {
      tellFailing(err)
      return RETRY_MS
    }
  }

  const begin = (lane: Lane, entry: OutboxEntry): void => {
    lane.busy.set(entry.number, entry.origin)
    lane.last = entry.origin
    store.hold(entry.number)
    const work = deliver(lane, entry).finally(() => {
      lane.busy.delete(entry.number)
      store.release(entry.number)
      underWay.delete(work)
      wake()
    })
    underWay.add(work)
  }

  const deliver = async ({ name, sink }: Lane, entry: OutboxEntry): Promise<void> => {
    const outcome = await sink.deliver(entry, stop.signal).catch(unexpected)
    // What was cut off by the end of the agent is no failure.
    if (stop.signal.aborted && outcome !== 'delivered') return
    const atMs = now()
    if (outcome === 'delivered') {
      // At the end of the agent that may fail for good: then it is delivered, and counted, in the next life.
      if (!(await record(() => store.settle(entry.number, { state: 'delivered', atMs })))) return
      count(name, 'delivered')
      if (entry.tries > 0) log.info({ ...shown(entry), tries: entry.tries + 1 }, 'delivered after all')
      return
    }
    count(name, 'failed')
    const failed = outcome === 'not-wanted' ? { error: 'not wanted any more' } : outcome
    const nextTryAt = outcome === 'not-wanted' ? undefined : nextTryOf(entry, outcome, sink, atMs)
    if (nextTryAt === undefined) {
      const givenUp = { state: 'given-up' as const, atMs, error: failed.error }
      if (!(await record(() => store.settle(entry.number, givenUp)))) return
      count(name, 'given-up')
      log.error({ ...shown(entry), tries: entry.tries + 1, ...failed }, 'GIVEN UP: it could not be delivered')
      return
    }
    await record(() => store.putOff(entry.number, { atMs, error: failed.error, nextTryAt }))
    // Once for each: that it goes on is told by the metrics.
    if (entry.tries === 0) log.warn({ ...shown(entry), ...failed }, 'not delivered; it is tried again')
  }

  /**
   * By the store's clock; undefined when there is to be none. Wall time, by which its time is over, may have been set:
   * so many tries come in any case.
   */
  const nextTryOf = (
    { tries, createdAt }: OutboxEntry,
    { notBeforeMs = 0 }: DeliveryFailure,
    { pause, givesUp }: DeliverySink,
    atMs: number,
  ): number | undefined => {
    const wait = Math.max(pause(tries + 1, random()), notBeforeMs)
    if (!givesUp || tries + 1 < givesUp.leastTries) return store.now() + wait
    const left = createdAt + givesUp.afterMs - atMs
    return left <= 0 ? undefined : store.now() + Math.min(wait, left)
  }

  /**
   * Until then it counts as under way, so that it is not delivered again although nothing else has failed. Returns
   * whether it was.
   */
  const record = async (write: () => void): Promise<boolean> => {
    for (;;) {
      try {
        write()
        isFailing = false
        return true
      } catch (err) {
        tellFailing(err)
      }
      if (isClosed) return false
      await within(closed.promise, RETRY_MS)
    }
  }

  const tellFailing = (err: unknown): void => {
    if (!isFailing) log.error({ err }, 'the outbox cannot be read or written; it is tried again')
    isFailing = true
  }

  const unexpected = (err: unknown): DeliveryOutcome => {
    log.error({ err }, 'unexpected error of a delivery')
    return { error: 'failed' }
  }

  const closed = Promise.withResolvers<void>()

  return {
    /** What is there for it already is delivered too. */
    add(name: OutboxSink, sink: DeliverySink): void {
      sinks.set(name, { name, sink, busy: new Map(), last: '', isPulledIn: false })
      wake()
    },

    /** A sink is ready again. */
    wake,

    /** Begins nothing more; what is under way has so long before it is cut off, and comes again in the next life. */
    async close(graceMs = LAST_DELIVERIES_MS): Promise<void> {
      isClosed = true
      forget()
      clearTimeout(timer)
      clearImmediate(turn)
      closed.resolve()
      await within(Promise.all(underWay), graceMs)
      stop.abort()
      await Promise.all(underWay)
    },
  }
}

export type Delivery = ReturnType<typeof createDelivery>

interface Lane {
  name: OutboxSink
  sink: DeliverySink
  /** The origins of what is under way, by its number. */
  busy: Map<number, string>
  /** The origin for which one was begun last. */
  last: string
  /** Whether what an earlier agent has left is not due too late. */
  isPulledIn: boolean
}

/**
 * How many more may be begun for an origin. Where one origin cannot take all places, a quarter of them is kept for those
 * that have nothing under way: many that hang leave them to others.
 */
const freeFor = (ofOrigin: number, busy: number, { all, origin }: DeliverySink['atOnce']): number => {
  const kept = Math.min(Math.floor(all / 4), all - origin)
  const free = Math.min(origin - ofOrigin, all - kept - busy)
  return ofOrigin === 0 && busy < all ? Math.max(free, 1) : free
}

/** Those that come after the last one first, so that none is kept waiting by those before it. */
const inTurn = (origins: string[], { last }: Lane): string[] => [
  ...origins.filter(origin => origin > last),
  ...origins.filter(origin => origin <= last),
]

/** Of a URL only the origin: a path may hold a secret as well as a query. */
const shown = ({ jobId, kind, sink, origin }: OutboxEntry) => ({
  jobId,
  event: kind,
  sink,
  ...(origin !== '' && { origin }),
})

const LONGEST_SLEEP_MS = 60_000
const PULLED_IN_EVERY_MS = 50
/** After an error of the store. */
const RETRY_MS = 1000
const LAST_DELIVERIES_MS = 1000
