import { createSteadyClock, type SteadyClock } from '../../base/steady-clock.ts'
import type { NewOutboxEntry, OutboxSink, OutboxState, OutboxStore, Settled } from '../outbox-store.ts'
import { type Database, LIMIT } from './database.ts'
import { fromRow, type OutboxRow, SUMMARY } from './outbox-rows.ts'
import { createOutboxTally } from './outbox-tally.ts'
import type { Room } from './room.ts'

export interface OutboxStoreOptions {
  room?: Pick<Room, 'spend'> | undefined
  clock?: SteadyClock
  /** Told of each entry that is given up because too many wait for its sink. */
  onOverflow?(sink: OutboxSink): void
  mostPending?: number
  mostBytes?: number
}

/** What is to be delivered to others. Every method may throw what SQLite throws. */
export const createOutboxStore = (
  database: Database,
  {
    room,
    onOverflow,
    clock = createSteadyClock(),
    mostPending = MOST_PENDING,
    mostBytes = MOST_BYTES,
  }: OutboxStoreOptions = {},
): OutboxStore => {
  const waits = database.prepare(
    `SELECT 1 FROM outbox WHERE job = ? AND sink = ? AND target = ? AND state = 'pending' LIMIT 1`,
  )
  const insert = database.prepare(`
    INSERT INTO outbox (number, id, job, sink, target, origin, kind, payload, created, next_try)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const origins = database.prepare(ORIGINS)
  const due = database.prepare(`
    SELECT ${SUMMARY}, payload FROM outbox
    WHERE sink = ? AND origin = ? AND next_try <= ? ORDER BY next_try, number ${LIMIT}`)
  const nextDue = database.prepare(
    'SELECT min(next_try) AS at FROM outbox WHERE sink = ? AND origin = ? AND next_try > ?',
  )
  const ofJob = database.prepare(`SELECT ${SUMMARY} FROM outbox WHERE job = ? AND sink = ? ORDER BY number`)
  const find = database.prepare(`
    SELECT job, sink, target, origin, octet_length(payload) AS bytes,
      EXISTS (SELECT 1 FROM jobs WHERE id = job) OR EXISTS (SELECT 1 FROM recent_jobs WHERE id = job) AS hasJob
    FROM outbox
    WHERE number = ? AND state = 'pending'`)
  const remove = database.prepare('DELETE FROM outbox WHERE number = ?')
  const end = database.prepare(`
    UPDATE outbox SET state = ?, tries = tries + ?, last_try = coalesce(?, last_try),
      last_error = coalesce(?, last_error), next_try = NULL, payload = ''
    WHERE number = ?`)
  const promote = database.prepare(`
    UPDATE outbox SET next_try = ? WHERE next_try IS NULL AND number = (
      SELECT number FROM outbox WHERE job = ? AND sink = ? AND target = ? AND state = 'pending'
      ORDER BY number LIMIT 1)`)
  const putOff = database.prepare(`
    UPDATE outbox SET tries = tries + 1, last_try = ?, last_error = ?, next_try = ?
    WHERE number = ? AND state = 'pending'`)
  const pullIn = database.prepare(`
    UPDATE outbox SET next_try = ?1 WHERE number IN (
      SELECT number FROM outbox
      WHERE sink = ?2 AND next_try > ?1 AND (tries = 0 OR last_try > ?1 OR next_try > ?1 + ${LONGEST_PAUSE_MS})
      LIMIT ${MOST_PULLED_IN})`)
  const oldest = database.prepare(
    `SELECT number FROM outbox WHERE sink = ? AND origin = ? AND state = 'pending' ORDER BY number ${LIMIT}`,
  )
  // Never used again while this agent lives: what is being delivered may be given up meanwhile.
  let { lastNumber } = database
    .prepare('SELECT coalesce(max(number), 0) AS lastNumber FROM outbox')
    .get() as unknown as { lastNumber: number }
  const tally = createOutboxTally()
  for (const { sink, origin, ...load } of database.prepare(LOADS).all() as unknown as LoadRow[])
    tally.change(sink, origin, load)
  /** The numbers of what is being delivered. */
  const held = new Set<number>()
  const listeners = new Set<() => void>()

  /** What waits is counted as `step` says, unless that throws: then nothing has happened. */
  const counting = <T>(step: (count: typeof tally.change) => T): T => {
    const changes: Parameters<typeof tally.change>[] = []
    try {
      return database.transaction(() =>
        step((...change) => {
          changes.push(change)
          tally.change(...change)
        }),
      )
    } catch (error) {
      for (const [sink, origin, { entries, bytes }] of changes)
        tally.change(sink, origin, { entries: -entries, bytes: -bytes })
      throw error
    }
  }

  const add = (entry: NewOutboxEntry): void => {
    const { id, jobId, sink, target, origin, kind, payload, createdAt } = entry
    const isFirst = waits.get(jobId, sink, target) === undefined
    const nextTry = isFirst ? clock.now() : null
    insert.run(++lastNumber, id, jobId, sink, target, origin, kind, payload, createdAt, nextTry)
  }

  /** Nothing, when it does not wait any more. */
  const finish = (
    number: number,
    { state, atMs, tried, error }: Finish,
    count: typeof tally.change,
  ): void => {
    const found = find.get(number) as unknown as FoundRow | undefined
    if (!found) return
    const { job, sink, target, origin, bytes, hasJob } = found
    count(sink, origin, { entries: -1, bytes: -bytes })
    // What was delivered to a fleet is there to be seen; what its job tells goes with the job.
    if (sink === 'callback' && hasJob === 1) end.run(state, tried, tried ? atMs : null, error, number)
    else remove.run(number)
    promote.run(clock.now(), job, sink, target)
  }

  /**
   * Where too much waits, the oldest one of the origin with the most of it is to go, so that one that does not answer
   * costs no other anything. What is being delivered stays: what comes after it must not overtake it.
   */
  const tooMuch = (sink: OutboxSink): number | undefined => {
    const { entries, bytes } = tally.of(sink)
    if (entries <= mostPending && bytes <= mostBytes) return undefined
    const origin = tally.largest(sink, entries > mostPending ? 'entries' : 'bytes') ?? ''
    const first = oldest.all(sink, origin, held.size + 1) as { number: number }[]
    return first.find(({ number }) => !held.has(number))?.number
  }

  return {
    addWith<T>(entries: readonly NewOutboxEntry[], step: () => T): T {
      room?.spend(entries.reduce((sum, { payload }) => sum + payload.length + BYTES_AN_ENTRY, 0))
      const dropped: OutboxSink[] = []
      const result = counting(count => {
        const stored = step()
        for (const entry of entries) {
          const { sink, origin, payload, createdAt } = entry
          add(entry)
          count(sink, origin, { entries: 1, bytes: Buffer.byteLength(payload) })
          for (let number = tooMuch(sink); number !== undefined; number = tooMuch(sink)) {
            finish(number, { state: 'given-up', atMs: createdAt, tried: 0, error: TOO_MANY }, count)
            dropped.push(sink)
          }
        }
        return stored
      })
      for (const sink of dropped) onOverflow?.(sink)
      for (const tell of listeners) tell()
      return result
    },

    onAdded(tell) {
      listeners.add(tell)
      return () => void listeners.delete(tell)
    },

    origins: sink => (origins.all(sink) as { origin: string }[]).map(({ origin }) => origin),

    due: (sink, origin, nowMs, most) =>
      (due.all(sink, origin, nowMs, most) as unknown as (OutboxRow & { payload: string })[]).map(row => ({
        ...fromRow(row),
        payload: row.payload,
      })),

    nextDueAt(sink, origin, afterMs) {
      const { at } = nextDue.get(sink, origin, afterMs) as { at: number | null }
      return at ?? undefined
    },

    now: clock.now,

    pullIn(sink) {
      const { changes } = pullIn.run(clock.now(), sink)
      room?.spend(Number(changes) * BYTES_AN_ENTRY)
      return changes === 0
    },

    hold: number => void held.add(number),

    release: number => void held.delete(number),

    settle(number, settled: Settled) {
      const error = settled.state === 'given-up' ? settled.error : null
      counting(count => finish(number, { ...settled, tried: 1, error }, count))
    },

    putOff: (number, { atMs, error, nextTryAt }) => void putOff.run(atMs, error, nextTryAt, number),

    ofJob(jobId, sink) {
      // Most agents tell nobody, and each look at a job asks for this.
      if (lastNumber === 0) return []
      return (ofJob.all(jobId, sink) as unknown as OutboxRow[]).map(fromRow).map(one => ({
        ...one,
        nextTryAt: one.nextTryAt === undefined ? undefined : clock.toWall(one.nextTryAt),
      }))
    },

    countPending: sink => tally.of(sink).entries,
  }
}

interface Finish {
  state: OutboxState
  atMs: number
  /** How many tries this was. */
  tried: number
  error: string | null
}

interface LoadRow {
  sink: OutboxSink
  origin: string
  entries: number
  bytes: number
}

interface FoundRow {
  job: string
  sink: OutboxSink
  target: string
  origin: string
  bytes: number
  hasJob: number
}

/** Goes from origin to origin along the index; DISTINCT would read every entry. */
const ORIGINS = `
  WITH RECURSIVE waiting (origin) AS (
    SELECT min(origin) FROM outbox WHERE sink = ?1 AND next_try IS NOT NULL
    UNION ALL
    SELECT (SELECT min(origin) FROM outbox WHERE sink = ?1 AND next_try IS NOT NULL AND origin > waiting.origin)
    FROM waiting WHERE origin IS NOT NULL
  )
  SELECT origin FROM waiting WHERE origin IS NOT NULL`

const LOADS = `
  SELECT sink, origin, count(*) AS entries, sum(octet_length(payload)) AS bytes FROM outbox
  WHERE state = 'pending' GROUP BY sink, origin`

/** For one sink. */
const MOST_PENDING = 100_000
/** The same. An ordinary payload has 2 KB, a long command ten times that. */
const MOST_BYTES = 256 << 20
/** Longer than any that a sink makes. */
const LONGEST_PAUSE_MS = 4 * 3_600_000
/** At once, since a whole row is written each time. */
const MOST_PULLED_IN = 200
const TOO_MANY = 'too many were waiting'
/** What it puts into the log besides: some pages. */
const BYTES_AN_ENTRY = 16 << 10
