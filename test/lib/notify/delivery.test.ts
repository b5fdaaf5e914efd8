import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createSteadyClock } from '../../../lib/base/steady-clock.ts'
import { createDelivery } from '../../../lib/notify/delivery.ts'
import type { DeliveryOutcome, DeliverySink } from '../../../lib/notify/sinks.ts'
import type { NewOutboxEntry, OutboxEntry } from '../../../lib/store/outbox-store.ts'
import { createJobStore } from '../../../lib/store/sqlite/jobs.ts'
import { createOutboxStore, type OutboxStoreOptions } from '../../../lib/store/sqlite/outbox.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { runningJob } from '../../support/sample-jobs.ts'
import { scratchDatabase } from '../../support/scratch-database.ts'

const ORIGIN = 'https://ci.example.com'
const START = 1_700_000_000_000

interface Call {
  entry: OutboxEntry
  signal: AbortSignal
  answer(outcome: DeliveryOutcome): Promise<void>
}

/** A delivery on a real store, with a clock that the test moves, and a sink that answers when the test says so. */
const harness = (
  t: TestContext,
  given: Partial<DeliverySink> = {},
  storeOptions: OutboxStoreOptions = {},
) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: START })
  const database = scratchDatabase()
  const jobs = createJobStore(database)
  // What passes without anybody's setting a clock.
  let steady = START
  const clock = createSteadyClock(Date.now, () => steady)
  const store = createOutboxStore(database, { clock, ...storeOptions })
  const { log, lines } = recordingLog()
  const counted: string[] = []
  const calls: Call[] = []
  const delivery = createDelivery({
    store,
    log,
    random: () => 0.5,
    count: (sink, what) => counted.push(`${sink} ${what}`),
  })
  /** All that follows from what has been done, without any time that passes. */
  const settle = async () => {
    for (let turns = 0; turns < 5; turns++) await nextTurn()
  }
  const sink: DeliverySink = {
    atOnce: { all: 3, origin: 2 },
    pause: tries => tries * 1000,
    givesUp: { afterMs: 3_600_000, leastTries: 3 },
    deliver(entry, signal) {
      const { promise, resolve } = Promise.withResolvers<DeliveryOutcome>()
      const answer = (outcome: DeliveryOutcome) => {
        resolve(outcome)
        return settle()
      }
      calls.push({ entry, signal, answer })
      signal.addEventListener('abort', () => resolve({ error: 'canceled' }))
      return promise
    },
    ...given,
  }
  return {
    delivery,
    store,
    sink,
    calls,
    lines,
    counted,
    settle,
    ids: () => calls.map(({ entry }) => entry.id),
    start: () => {
      delivery.add('callback', sink)
      return settle()
    },
    add: (...entries: Partial<NewOutboxEntry>[]) => {
      store.addWith(entries.map(entryOf), () => undefined)
      return settle()
    },
    /** Of a job that is there. */
    addJob: (id: string) => jobs.insert(runningJob({ id }), 1),
    async pass(ms: number) {
      steady += ms
      t.mock.timers.tick(ms)
      await settle()
    },
  }
}

const entryOf = (given: Partial<NewOutboxEntry>): NewOutboxEntry => {
  const { jobId = 'a', kind = 'ended', origin = ORIGIN } = given
  const [target, id] = [`${origin}/done`, `${jobId}.${kind}`]
  return { id, jobId, sink: 'callback', target, origin, kind, payload: '{}', createdAt: Date.now(), ...given }
}

const FAILED = { error: 'status 500', detail: 'Internal Server Error' }

describe('delivery', () => {
  test('what is added is delivered at once, and once', async t => {
    const { start, add, calls, ids, store, counted, lines, pass } = harness(t)
    await start()
    await add({ jobId: 'a' })
    assert.deepEqual(ids(), ['a.ended'])
    await calls[0]!.answer('delivered')
    await pass(100_000)
    assert.deepEqual([ids(), store.countPending('callback')], [['a.ended'], 0])
    assert.deepEqual([counted, lines], [['callback delivered'], []])
  })

  test('what was there before is delivered when its sink is added', async t => {
    const { start, add, ids } = harness(t)
    await add({ jobId: 'a' })
    assert.deepEqual(ids(), [])
    await start()
    assert.deepEqual(ids(), ['a.ended'])
  })

  test('of one job and target the next one waits until the one before is settled, however long that takes', async t => {
    const { start, add, calls, ids, pass } = harness(t)
    await start()
    await add({ kind: 'started' }, { kind: 'ended' }, { jobId: 'b' })
    assert.deepEqual(ids(), ['a.started', 'b.ended'])
    await calls[0]!.answer(FAILED)
    await calls[1]!.answer('delivered')
    await pass(999)
    assert.equal(calls.length, 2)
    await pass(1)
    assert.equal(ids()[2], 'a.started')
    await calls[2]!.answer('delivered')
    assert.equal(ids()[3], 'a.ended')
  })

  test('pauses grow, are kept by the store, and are told once', async t => {
    const { start, add, addJob, calls, pass, store, lines, counted } = harness(t)
    addJob('a')
    await start()
    await add({ jobId: 'a' })
    await calls[0]!.answer(FAILED)
    const [first] = store.ofJob('a', 'callback')
    assert.deepEqual(
      [first?.state, first?.tries, first?.lastTryAt, first?.nextTryAt, first?.lastError],
      ['pending', 1, START, START + 1000, 'status 500'],
    )
    await pass(1000)
    await calls[1]!.answer({ error: 'status 503', notBeforeMs: 7000 })
    assert.equal(store.ofJob('a', 'callback')[0]?.nextTryAt, START + 8000)
    await pass(6999)
    assert.equal(calls.length, 2)
    await pass(1)
    await calls[2]!.answer('delivered')
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields]),
      [
        ['warn', { jobId: 'a', event: 'ended', sink: 'callback', origin: ORIGIN, ...FAILED }],
        ['info', { jobId: 'a', event: 'ended', sink: 'callback', origin: ORIGIN, tries: 3 }],
      ],
    )
    assert.deepEqual(counted, ['callback failed', 'callback failed', 'callback delivered'])
  })

  test('it is tried until its time is over, for the last time then, and given up loudly; the next one follows', async t => {
    const { start, add, addJob, calls, ids, pass, store, lines, counted } = harness(t, {
      pause: () => 2_000_000,
      givesUp: { afterMs: 3_600_000, leastTries: 2 },
    })
    addJob('a')
    await start()
    await add({ kind: 'started' }, { kind: 'ended' })
    for (const wait of [2_000_000, 1_600_000]) {
      await calls.at(-1)!.answer(FAILED)
      await pass(wait)
    }
    assert.deepEqual(ids(), ['a.started', 'a.started', 'a.started'])
    await calls[2]!.answer(FAILED)
    const [started] = store.ofJob('a', 'callback')
    assert.deepEqual([started?.state, started?.tries, started?.lastError], ['given-up', 3, 'status 500'])
    assert.equal(ids()[3], 'a.ended')
    const { level, message, fields } = lines.at(-1)!
    assert.deepEqual(
      [level, fields],
      ['error', { jobId: 'a', event: 'started', sink: 'callback', origin: ORIGIN, tries: 3, ...FAILED }],
    )
    assert.match(message, /GIVEN UP/)
    assert.equal(counted.at(-1), 'callback given-up')
  })

  test('what is older than that is tried some times all the same: the agent may have been off', async t => {
    const { start, add, calls, pass, store } = harness(t)
    await start()
    await add({ createdAt: START - 100_000_000 })
    for (const wait of [1000, 2000]) {
      await calls.at(-1)!.answer(FAILED)
      await pass(wait)
    }
    assert.equal(store.countPending('callback'), 1)
    await calls[2]!.answer(FAILED)
    assert.deepEqual([calls.length, store.countPending('callback')], [3, 0])
  })

  test('a sink that never gives up does not', async t => {
    const { start, add, calls, pass, store } = harness(t, { givesUp: undefined, pause: () => 1e8 })
    await start()
    await add({})
    for (let tries = 0; tries < 5; tries++) {
      await calls.at(-1)!.answer(FAILED)
      await pass(1e8)
    }
    assert.deepEqual([calls.length, store.countPending('callback')], [6, 1])
  })

  test('what nobody wants any more is given up at once', async t => {
    const { start, add, addJob, calls, pass, store, lines } = harness(t)
    addJob('a')
    await start()
    await add({})
    await calls[0]!.answer('not-wanted')
    await pass(1e7)
    const [one] = store.ofJob('a', 'callback')
    assert.deepEqual([calls.length, one?.state, one?.lastError], [1, 'given-up', 'not wanted any more'])
    assert.equal(lines.at(-1)?.level, 'error')
  })

  test('so many are under way for one origin, and so many in all; one that hangs does not hold up others', async t => {
    const { start, add, calls, ids } = harness(t)
    await start()
    await add({ jobId: 'a' }, { jobId: 'b' }, { jobId: 'c' }, { jobId: 'd' })
    assert.deepEqual(ids(), ['a.ended', 'b.ended'])
    const other = 'https://other.example.com'
    await add({ jobId: 'e', origin: other }, { jobId: 'f', origin: other })
    assert.deepEqual(ids(), ['a.ended', 'b.ended', 'e.ended'])
    await calls[2]!.answer('delivered')
    assert.deepEqual(ids().slice(3), ['f.ended'])
    await calls[3]!.answer('delivered')
    assert.equal(calls.length, 4)
    await calls[0]!.answer('delivered')
    assert.deepEqual(ids().slice(4), ['c.ended'])
  })

  test('origins that hang leave places to those that have nothing under way', async t => {
    const { start, add, ids, calls } = harness(t, { atOnce: { all: 8, origin: 4 } })
    await start()
    let jobs = 0
    const of = (origin: string) => ({ jobId: `${origin.slice(7)}${jobs++}`, origin })
    for (let count = 0; count < 4; count++) await add(of('http://a'), of('http://b'))
    assert.equal(calls.length, 6)
    await add(of('http://c'), of('http://c'), of('http://d'))
    assert.deepEqual(ids().slice(6), ['c8.ended', 'd10.ended'])
    await calls[6]!.answer('delivered')
    assert.deepEqual(ids().slice(8), ['c9.ended'])
  })

  test('what is under way is not given up for want of room: it is told of once, and not overtaken', async t => {
    const { start, add, addJob, calls, ids, counted, store } = harness(t, {}, { mostPending: 2 })
    addJob('a')
    await start()
    await add({ kind: 'started' }, { kind: 'ended' })
    await add({ jobId: 'b' })
    await add({ jobId: 'c' })
    assert.deepEqual(ids(), ['a.started', 'b.ended'])
    await calls[0]!.answer('delivered')
    assert.deepEqual(counted, ['callback delivered'])
    assert.deepEqual(
      store.ofJob('a', 'callback').map(({ state }) => state),
      ['delivered', 'given-up'],
    )
    await calls[1]!.answer('delivered')
    assert.equal(store.countPending('callback'), 0)
  })

  test('where there is room for one alone, each origin has its turn', async t => {
    const { start, add, calls } = harness(t, { atOnce: { all: 1, origin: 1 } })
    await start()
    for (let count = 0; count < 3; count++)
      await add({ jobId: `a${count}`, origin: 'http://a' }, { jobId: `b${count}`, origin: 'http://b' })
    for (let count = 0; count < 5; count++) await calls.at(-1)!.answer('delivered')
    assert.deepEqual(
      calls.map(({ entry }) => entry.jobId),
      ['a0', 'b0', 'a1', 'b1', 'a2', 'b2'],
    )
  })

  test('a clock that is set puts nothing off and has nothing come early: neither what failed, nor what is new', async t => {
    for (const byMs of [1e9, 7200, 1, -1, -7200, -1e9]) {
      const { start, add, calls, ids, pass, store, delivery } = harness(t)
      await start()
      await add({ jobId: 'a' })
      await calls[0]!.answer(FAILED)
      t.mock.timers.setTime(START + byMs)
      await add({ jobId: 'b' })
      assert.deepEqual(ids(), ['a.ended', 'b.ended'])
      await calls[1]!.answer(FAILED)
      await pass(999)
      assert.equal(calls.length, 2)
      await pass(1)
      assert.deepEqual(ids().slice(2), ['a.ended', 'b.ended'])
      assert.equal(calls[2]!.entry.createdAt, START)
      for (const call of calls.slice(2)) await call.answer('delivered')
      assert.equal(store.countPending('callback'), 0)
      await delivery.close()
      t.mock.timers.reset()
    }
  })

  test('a clock that is set forward and back, again and again, costs no try', async t => {
    const givesUp = { afterMs: 3_600_000, leastTries: 12 }
    const { start, add, calls, pass, store } = harness(t, { givesUp, pause: () => 1000 })
    await start()
    await add({})
    for (let tries = 1; tries < 12; tries++) {
      t.mock.timers.setTime(START + (tries % 2 === 0 ? 0 : 172_800_000))
      await calls.at(-1)!.answer(FAILED)
      await pass(1000)
      assert.deepEqual([calls.length, store.countPending('callback')], [tries + 1, 1])
    }
  })

  test('times from before the start that cannot be brought forward hold up nothing that is due', async t => {
    const { start, add, ids, pass, store, lines } = harness(t)
    const refuse = t.mock.method(store, 'pullIn', () => {
      throw new Error('database or disk is full')
    })
    await add({})
    await start()
    assert.deepEqual([ids(), lines.length], [['a.ended'], 1])
    await pass(1000)
    assert.ok(refuse.mock.callCount() > 1)
    refuse.mock.restore()
    const again = t.mock.method(store, 'pullIn')
    for (let passed = 0; passed < 3; passed++) await pass(60_000)
    assert.equal(again.mock.callCount(), 1)
  })

  test('a sink that is not ready is asked for nothing until it is', async t => {
    let isReady = false
    const { delivery, start, add, ids, pass, settle } = harness(t, { isReady: () => isReady })
    await start()
    await add({})
    await pass(120_000)
    assert.deepEqual(ids(), [])
    isReady = true
    delivery.wake()
    await settle()
    assert.deepEqual(ids(), ['a.ended'])
  })

  test('a sink that throws has failed', async t => {
    const { start, add, store, lines } = harness(t, { deliver: () => Promise.reject(new Error('oh')) })
    await start()
    await add({})
    assert.equal(store.due('callback', ORIGIN, START + 1000, 1)[0]?.lastError, 'failed')
    assert.equal(lines[0]?.level, 'error')
  })

  test('what was delivered and cannot be recorded is not delivered again, but recorded as soon as that is possible', async t => {
    const { start, add, calls, pass, store, lines } = harness(t)
    await start()
    await add({})
    const refuse = t.mock.method(store, 'settle', () => {
      throw new Error('database or disk is full')
    })
    await calls[0]!.answer('delivered')
    await pass(1000)
    await pass(1000)
    assert.deepEqual([calls.length, refuse.mock.callCount(), lines.length], [1, 3, 1])
    refuse.mock.restore()
    await pass(1000)
    assert.deepEqual([calls.length, store.countPending('callback')], [1, 0])
  })

  test('what was delivered and could not be recorded before the end is not counted', async t => {
    const { delivery, start, add, calls, store, counted } = harness(t)
    await start()
    await add({})
    t.mock.method(store, 'settle', () => {
      throw new Error('database or disk is full')
    })
    await calls[0]!.answer('delivered')
    await delivery.close()
    assert.deepEqual(counted, [])
  })

  test('a store that cannot be read is read again a second later', async t => {
    const { start, add, ids, pass, store, lines } = harness(t)
    const refuse = t.mock.method(store, 'origins', () => {
      throw new Error('disk I/O error')
    })
    await start()
    await add({})
    assert.deepEqual([ids(), lines.length], [[], 1])
    refuse.mock.restore()
    await pass(1000)
    assert.deepEqual(ids(), ['a.ended'])
  })

  test('closing begins nothing more, waits a little for what is under way, and cuts the rest off as if not tried', async t => {
    const { delivery, start, add, addJob, calls, pass, settle, store, counted } = harness(t)
    addJob('a')
    addJob('b')
    await start()
    await add({ jobId: 'a' }, { jobId: 'b' })
    let isClosed = false
    const closed = delivery.close(1000).then(() => {
      isClosed = true
    })
    await add({ jobId: 'c' })
    await calls[0]!.answer('delivered')
    assert.deepEqual([calls.length, isClosed, calls[1]!.signal.aborted], [2, false, false])
    await pass(1000)
    await closed
    assert.ok(calls[1]!.signal.aborted)
    await settle()
    const [a, b] = [store.ofJob('a', 'callback')[0], store.ofJob('b', 'callback')[0]]
    assert.deepEqual([a?.state, b?.state, b?.tries], ['delivered', 'pending', 0])
    assert.deepEqual([calls.length, counted], [2, ['callback delivered']])
  })
})
