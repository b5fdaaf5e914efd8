import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSteadyClock } from '../../../../lib/base/steady-clock.ts'
import type { NewOutboxEntry, OutboxSink } from '../../../../lib/store/outbox-store.ts'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { createOutboxStore, type OutboxStoreOptions } from '../../../../lib/store/sqlite/outbox.ts'
import { createRecentJobs } from '../../../../lib/store/sqlite/recent-jobs.ts'
import { createRemoval } from '../../../../lib/store/sqlite/removal.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'

const ORIGIN = 'https://ci.example.com'

const entry = (jobId: string, given: Partial<NewOutboxEntry> = {}): NewOutboxEntry => {
  const kind = given.kind ?? 'ended'
  const target = `${ORIGIN}/done`
  const id = `${jobId}.${kind}`
  return {
    id,
    jobId,
    sink: 'callback',
    target,
    origin: ORIGIN,
    kind,
    payload: '{}',
    createdAt: 100,
    ...given,
  }
}

const STANDING = { now: () => 100, toWall: (ms: number) => ms }

const nothing = () => undefined

const harness = (options: OutboxStoreOptions = {}) => {
  const database = scratchDatabase()
  const jobs = createJobStore(database)
  const outbox = createOutboxStore(database, { clock: STANDING, ...options })
  return {
    database,
    jobs,
    outbox,
    add: (...entries: NewOutboxEntry[]) => outbox.addWith(entries, nothing),
    due: (nowMs = 1000, sink: OutboxSink = 'callback', origin = ORIGIN) =>
      outbox.due(sink, origin, nowMs, 10).map(({ id }) => id),
    rows: () => database.prepare('SELECT count(*) AS rows FROM outbox').get()!.rows,
  }
}

describe('the outbox', () => {
  test('takes entries with the step that they tell of, or neither', () => {
    const { jobs, outbox, due } = harness()
    const job = runningJob({ labels: { env: 'prod' } })
    const number = outbox.addWith([entry(job.id, { kind: 'started' })], () => jobs.insert(job, 1))
    assert.deepEqual([jobs.find(job.id)?.number, due()], [number, [`${job.id}.started`]])

    const refused = () => {
      jobs.finish(endOf(job), NO_OUTPUT, 0)
      throw new Error('no')
    }
    assert.throws(() => outbox.addWith([entry(job.id)], refused), /no/)
    const faulty = entry(job.id, { payload: null as unknown as string })
    assert.throws(() => outbox.addWith([faulty], () => jobs.finish(endOf(job), NO_OUTPUT, 0)), /NULL/)
    assert.equal(jobs.find(job.id)?.job.state, 'running')
    assert.deepEqual([due(), outbox.countPending('callback')], [[`${job.id}.started`], 1])
  })

  test('gives of each job and target the first alone, and the next one when that is settled', () => {
    let nowMs = 100
    const { outbox, add, due } = harness({ clock: { ...STANDING, now: () => nowMs } })
    add(entry('a', { kind: 'started' }))
    nowMs = 90
    add(entry('b'))
    nowMs = 110
    add(entry('a'), entry('a', { target: `${ORIGIN}/other` }))
    assert.deepEqual(due(), ['b.ended', 'a.started', 'a.ended'])
    const [, started] = outbox.due('callback', ORIGIN, 1000, 10)
    outbox.putOff(started!.number, { atMs: 200, error: 'status 500', nextTryAt: 5000 })
    assert.deepEqual(due(4999), ['b.ended', 'a.ended'])
    assert.equal(outbox.nextDueAt('callback', ORIGIN, 1000), 5000)
    nowMs = 5001
    outbox.settle(started!.number, { state: 'given-up', atMs: 5001, error: 'status 410' })
    assert.deepEqual(due(5001), ['b.ended', 'a.ended', 'a.ended'])
    assert.deepEqual(
      outbox.due('callback', ORIGIN, 5001, 10).map(({ target }) => target.slice(ORIGIN.length)),
      ['/done', '/other', '/done'],
    )
  })

  test('tells what was tried, without the payload, of one sink', () => {
    let nowMs = 100
    const { jobs, outbox, add } = harness({ clock: { ...STANDING, now: () => nowMs } })
    const job = runningJob()
    jobs.insert(job, 1)
    add(entry(job.id, { kind: 'started' }), entry(job.id), entry(job.id, { sink: 'fleet', target: '' }))
    const [{ number } = { number: 0 }] = outbox.due('callback', ORIGIN, 1000, 10)
    outbox.putOff(number, { atMs: 200, error: 'timed out', nextTryAt: 300 })
    nowMs = 301
    outbox.settle(number, { state: 'delivered', atMs: 301 })
    const [first, second, ...others] = outbox.ofJob(job.id, 'callback')
    const { target, origin, sink, createdAt } = entry('')
    assert.deepEqual(first, {
      number,
      id: `${job.id}.started`,
      jobId: job.id,
      kind: 'started',
      state: 'delivered',
      tries: 2,
      lastTryAt: 301,
      lastError: 'timed out',
      nextTryAt: undefined,
      ...{ target, origin, sink, createdAt },
    })
    assert.deepEqual([second?.state, second?.tries, second?.nextTryAt], ['pending', 0, 301])
    assert.deepEqual(others, [])
  })

  test('knows for which origins something waits, each with its own, and for which sink', () => {
    const { outbox, add, due } = harness()
    add(entry('a'), entry('b'), entry('c', { origin: 'http://other', target: 'http://other/' }))
    add(entry('d', { sink: 'fleet', origin: '', target: '' }))
    assert.deepEqual(outbox.origins('callback'), ['http://other', ORIGIN])
    assert.deepEqual(outbox.origins('fleet'), [''])
    assert.deepEqual(due(1000, 'fleet', ''), ['d.ended'])
    for (const { number } of outbox.due('callback', ORIGIN, 1000, 10))
      outbox.settle(number, { state: 'delivered', atMs: 1000 })
    assert.deepEqual(outbox.origins('callback'), ['http://other'])
    assert.deepEqual([outbox.countPending('callback'), outbox.countPending('fleet')], [1, 1])
  })

  test('of a job that is removed keeps what is pending, and nothing once that is settled', () => {
    const { database, jobs, outbox, add, due, rows } = harness()
    const job = runningJob()
    const number = jobs.insert(job, 1)
    jobs.finish(endOf(job), NO_OUTPUT, 0)
    add(entry(job.id, { kind: 'started' }), entry(job.id))
    const first = outbox.due('callback', ORIGIN, 1000, 1)[0]!
    outbox.settle(first.number, { state: 'delivered', atMs: 200 })
    assert.equal(rows(), 2)
    createRecentJobs(database).moveEnded()
    createRemoval(database).remove(number)
    assert.deepEqual([rows(), due()], [1, [`${job.id}.ended`]])
    outbox.settle(outbox.due('callback', ORIGIN, 1000, 1)[0]!.number, { state: 'delivered', atMs: 300 })
    assert.deepEqual([rows(), outbox.countPending('callback')], [0, 0])
  })

  test('keeps nothing of what a fleet has got', () => {
    const { jobs, outbox, add, rows } = harness()
    const job = runningJob()
    jobs.insert(job, 1)
    add(entry(job.id, { sink: 'fleet', target: '', origin: '' }))
    outbox.settle(outbox.due('fleet', '', 1000, 1)[0]!.number, { state: 'delivered', atMs: 200 })
    assert.deepEqual([rows(), outbox.countPending('fleet')], [0, 0])
  })

  test('gives up the oldest when too many wait for a sink, and tells of each', () => {
    const overflows: OutboxSink[] = []
    const { jobs, outbox, add, due } = harness({ mostPending: 2, onOverflow: sink => overflows.push(sink) })
    const job = runningJob()
    jobs.insert(job, 1)
    add(entry(job.id), entry('b'), entry('x', { sink: 'fleet' }))
    assert.deepEqual(overflows, [])
    add(entry('c'))
    add(entry('d'), entry('y', { sink: 'fleet' }))
    assert.deepEqual(overflows, ['callback', 'callback'])
    assert.deepEqual([due(), outbox.countPending('callback')], [['c.ended', 'd.ended'], 2])
    const [dropped] = outbox.ofJob(job.id, 'callback')
    assert.deepEqual(
      [dropped?.state, dropped?.tries, dropped?.lastError],
      ['given-up', 0, 'too many were waiting'],
    )
  })

  test('gives up nothing that is being delivered, so what comes after that does not overtake it', () => {
    const { outbox, add, due } = harness({ mostPending: 2 })
    add(entry('a', { kind: 'started' }), entry('a'))
    const { number } = outbox.due('callback', ORIGIN, 1000, 1)[0]!
    outbox.hold(number)
    add(entry('b'), entry('c'))
    assert.deepEqual([due(), outbox.countPending('callback')], [['a.started', 'c.ended'], 2])
    outbox.release(number)
    add(entry('d'))
    assert.deepEqual([due(), outbox.countPending('callback')], [['c.ended', 'd.ended'], 2])
    // All that may go are being delivered: there is one more than there should be.
    for (const one of outbox.due('callback', ORIGIN, 1000, 2)) outbox.hold(one.number)
    add(entry('e', { origin: 'http://other', target: 'http://other/' }))
    assert.equal(outbox.countPending('callback'), 3)
  })

  test('gives up what is for the origin with the most of it, in number or in bytes, and of no other', () => {
    const other = { origin: 'http://other', target: 'http://other/' }
    const many = harness({ mostPending: 4 })
    many.add(entry('a', other))
    for (const id of ['b', 'c', 'd', 'e', 'f']) many.add(entry(id))
    assert.deepEqual(many.due(1000, 'callback', 'http://other'), ['a.ended'])
    assert.deepEqual(many.due(), ['d.ended', 'e.ended', 'f.ended'])

    const long = harness({ mostBytes: 1000 })
    for (const id of ['a', 'b', 'c']) long.add(entry(id, { ...other, payload: 'x'.repeat(100) }))
    long.add(entry('d', { payload: '汉'.repeat(200) }))
    long.add(entry('e', { payload: 'x'.repeat(200) }))
    assert.deepEqual(long.due(1000, 'callback', 'http://other'), ['a.ended', 'b.ended', 'c.ended'])
    assert.deepEqual(long.due(), ['e.ended'])
    // What waits from before counts.
    const later = createOutboxStore(long.database, { clock: STANDING, mostBytes: 600 })
    later.addWith([entry('f', { payload: 'x'.repeat(200) })], nothing)
    assert.deepEqual(long.due(1000, 'callback', 'http://other'), ['a.ended', 'b.ended', 'c.ended'])
    assert.deepEqual(long.due(), ['f.ended'])
  })

  test('counts what waits as it was when a step is taken back', () => {
    const { outbox, add, due } = harness({ mostPending: 1 })
    add(entry('a'))
    const faulty = entry('c', { payload: null as unknown as string })
    assert.throws(() => add(entry('b'), faulty))
    assert.deepEqual([due(), outbox.countPending('callback')], [['a.ended'], 1])
    add(entry('d'))
    assert.deepEqual([due(), outbox.countPending('callback')], [['d.ended'], 1])
  })

  test('what cannot be due so late, for the clock was set back, is due when an agent starts, a part at a time', () => {
    const HOUR = 3_600_000
    let nowMs = 100 * HOUR
    const options = { clock: { now: () => nowMs, toWall: (ms: number) => ms } }
    const spent: number[] = []
    const { outbox, add, due } = harness({ ...options, room: { spend: bytes => spent.push(bytes) } })
    add(entry('new'), entry('tried'), entry('late'), entry('kept'))
    const put = (jobId: string, atMs: number, nextTryAt: number) => {
      const { number } = outbox.due('callback', ORIGIN, 1e12, 10).find(one => one.jobId === jobId)!
      outbox.putOff(number, { atMs, error: '', nextTryAt })
    }
    put('tried', 100 * HOUR, 101 * HOUR)
    put('late', 98 * HOUR, 103 * HOUR + 1)
    put('kept', 98 * HOUR, 101 * HOUR)
    nowMs = 99 * HOUR
    assert.deepEqual(due(nowMs), [])
    spent.length = 0
    assert.deepEqual([outbox.pullIn('callback'), outbox.pullIn('callback')], [false, true])
    assert.deepEqual(due(nowMs), ['new.ended', 'tried.ended', 'late.ended'])
    assert.equal(outbox.nextDueAt('callback', ORIGIN, nowMs), 101 * HOUR)
    assert.ok(spent[0]! > 0)
    nowMs = 200 * HOUR
    add(...Array.from({ length: 500 }, (_, index) => entry(`x${index}`)))
    nowMs = 150 * HOUR
    let parts = 1
    while (!outbox.pullIn('callback')) parts++
    assert.ok(parts > 2)
  })

  test('shows when the next try comes by the wall clock, also once that was set', t => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
    const { outbox, add } = harness({ clock: createSteadyClock() })
    add(entry('a'))
    const shown = () => Math.round(outbox.ofJob('a', 'callback')[0]!.nextTryAt! / 1e6)
    assert.equal(shown(), 1_700_000)
    t.mock.timers.setTime(1_600_000_000_000)
    assert.equal(shown(), 1_600_000)
    assert.ok(outbox.due('callback', ORIGIN, outbox.now(), 1).length > 0)
  })

  test('goes on with what an earlier agent has left, and never gives a number twice', () => {
    const { database, add, outbox } = harness()
    add(entry('a'), entry('b', { sink: 'fleet' }))
    const last = outbox.due('fleet', ORIGIN, 1000, 1)[0]!.number
    const later = createOutboxStore(database)
    assert.deepEqual([later.countPending('callback'), later.countPending('fleet')], [1, 1])
    later.settle(last, { state: 'delivered', atMs: 1 })
    later.addWith([entry('c')], nothing)
    assert.ok(later.ofJob('c', 'callback')[0]!.number > last)
  })

  test('tells whoever listens that something was added, when it is there', () => {
    const { outbox, add, due } = harness()
    const seen: string[][] = []
    const forget = outbox.onAdded(() => void seen.push(due()))
    add(entry('a'))
    forget()
    add(entry('b'))
    assert.deepEqual(seen, [['a.ended']])
  })

  test('finds what is due, and what there is of a job, along an index alone', () => {
    const { database } = harness()
    const plan = (sql: string) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
        .join('\n')
    const due = plan(
      `SELECT payload FROM outbox WHERE sink = '' AND origin = '' AND next_try <= 1 ORDER BY next_try, number LIMIT 1`,
    )
    assert.match(due, /SEARCH outbox USING INDEX outbox_due \(sink=\? AND origin=\? AND next_try<\?\)$/)
    assert.match(
      plan(`SELECT min(next_try) FROM outbox WHERE sink = '' AND origin = '' AND next_try > 1`),
      /SEARCH outbox USING COVERING INDEX outbox_due \(sink=\? AND origin=\? AND next_try>\?\)/,
    )
    const oldest = `SELECT number FROM outbox WHERE sink = '' AND origin = '' AND state = 'pending' ORDER BY number LIMIT 1`
    assert.match(plan(oldest), /SEARCH outbox USING COVERING INDEX outbox_pending \(sink=\? AND origin=\?\)$/)
    assert.match(
      plan(`SELECT 1 FROM outbox WHERE job = '' AND sink = '' AND target = '' AND state = 'pending' LIMIT 1`),
      /SEARCH outbox USING INDEX outbox_by_job \(job=\? AND sink=\? AND target=\?\)/,
    )
    const removed = `DELETE FROM outbox WHERE job = '' AND state <> 'pending'`
    assert.match(plan(removed), /SEARCH outbox USING INDEX outbox_by_job \(job=\?\)/)
  })
})
