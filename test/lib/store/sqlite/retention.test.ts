import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Retention, RetentionLimits } from '../../../../lib/store/retention.ts'
import type { Database } from '../../../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../../../lib/store/sqlite/outputs.ts'
import { createRecentJobs, type RecentJobs } from '../../../../lib/store/sqlite/recent-jobs.ts'
import { createRetention as create } from '../../../../lib/store/sqlite/retention.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'

const NO_LIMITS: RetentionLimits = {
  ageMs: Number.MAX_SAFE_INTEGER,
  jobs: 1e9,
  bytes: Number.MAX_SAFE_INTEGER,
}
const DAY_MS = 86_400_000
const ONE_BYTE = { storedBytes: 1, rejected: false }

const recentOf = new WeakMap<Database, RecentJobs>()

/** The jobs of a database that are not moved yet: its store and its retention know of the same. */
const recentJobs = (database: Database): RecentJobs => {
  const recent = recentOf.get(database) ?? createRecentJobs(database)
  recentOf.set(database, recent)
  return recent
}

/** A turn takes no time, unless a test says so. */
const createRetention = (database: Database, limits: RetentionLimits, now = () => 0): Retention => {
  const recent = recentJobs(database)
  recent.moveEnded() // As an agent does that starts.
  return create(database, limits, recent, now)
}

/** Stores jobs with so many bytes of output each, and tells which are still there. */
const withJobs = (database: Database) => {
  const jobs = createJobStore(database, undefined, recentJobs(database))
  const outputs = createOutputStore(database)
  const insert = (id: string, size: number): number => {
    const number = jobs.insert(runningJob({ id }), 1)
    const bytes = new Uint8Array(size)
    outputs.append(number, [{ seq: 1, stream: 'stdout', time: 1, position: 0, streamPosition: 0, bytes }])
    return number
  }
  return {
    running: insert,
    finished(id: string, finishMs: number, size = 1): number {
      const number = insert(id, size)
      const end = endOf(runningJob({ id }), { finishTime: finishMs * 1000 })
      jobs.finish(end, { stdoutBytes: size, stderrBytes: 0, keptBytes: size }, size)
      return number
    },
    ids: (): string[] =>
      jobs
        .list({ limit: 1000 })
        .jobs.map(({ job }) => job.id)
        .reverse(),
    outputBytes: (number: number): number => outputs.totals(number).keptBytes,
  }
}

test('a job that finished too long ago goes, with its output, and one that is just old enough stays', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const old = store.finished('1', 9_999)
  const young = store.finished('2', 10_000)
  const retention = createRetention(database, { ...NO_LIMITS, ageMs: DAY_MS })
  assert.equal(retention.prune(10_000 + DAY_MS), 1)
  assert.deepEqual(store.ids(), ['2'])
  assert.deepEqual([store.outputBytes(old), store.outputBytes(young)], [0, 1])
  assert.equal(retention.prune(10_000 + DAY_MS), 0)
})

test('running jobs are never removed, however old and large', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const number = store.running('1', 5000)
  store.finished('2', 5)
  const retention = createRetention(database, { ageMs: 0, jobs: 0, bytes: 0 })
  assert.equal(retention.prune(1e15), 1)
  assert.deepEqual(store.ids(), ['1'])
  assert.equal(store.outputBytes(number), 5000)
})

/** Stores rejected jobs, as the agent does: pruned before each, two at a time. */
const rejectMany = (database: Database, retention: Retention, count: number, atMs = 1): string[] => {
  const jobs = createJobStore(database, undefined, recentJobs(database))
  return Array.from({ length: count }, (_, index) => {
    const { pid, startTime, ...facts } = runningJob({ createTime: atMs * 1000 + index })
    retention.prune(atMs, 2)
    jobs.insert({ ...facts, state: 'rejected', error: '' }, 0)
    retention.added({ storedBytes: 0, rejected: true })
    return facts.id
  })
}

test('thousands of rejected jobs push out no job that ran and no idempotency key, only older rejected ones', () => {
  const database = scratchDatabase()
  const jobs = createJobStore(database, undefined, recentJobs(database))
  const retention = createRetention(database, { ...NO_LIMITS, jobs: 200 })
  const requestHash = new Uint8Array(32)
  for (let index = 0; index < 200; index++) {
    const job = runningJob({ createTime: index })
    jobs.insert(job, 1, { key: `key ${index}`, requestHash })
    jobs.finish(endOf(job), NO_OUTPUT, 0)
    retention.added({ storedBytes: 0, rejected: false })
  }
  const rejected = rejectMany(database, retention, 5000)
  while (retention.prune(1) > 0);
  const counted = database.prepare(`SELECT count(*) AS jobs FROM jobs WHERE state = 'success'`).get()
  assert.equal(counted!.jobs, 200)
  for (let index = 0; index < 200; index++) assert.ok(jobs.findByKey(`key ${index}`), `key ${index}`)
  assert.deepEqual(
    jobs.list({ states: ['rejected'], limit: 10_000 }).jobs.map(({ job }) => job.id),
    rejected.slice(-1000).reverse(),
  )

  // The agent that is started next counts them in the same way.
  const next = createRetention(database, { ...NO_LIMITS, jobs: 200 })
  assert.equal(next.prune(1), 0)
  const [newest] = rejectMany(database, next, 1)
  assert.equal(next.prune(1), 1)
  assert.equal(jobs.find(newest!)?.job.state, 'rejected')
  assert.equal(jobs.find(rejected.at(-1000)!), undefined)
})

test('a rejected job goes when it is too old, as any other', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const retention = createRetention(database, { ...NO_LIMITS, ageMs: DAY_MS })
  rejectMany(database, retention, 1, 1000)
  assert.equal(retention.prune(1000 + DAY_MS), 0)
  assert.equal(retention.prune(1001 + DAY_MS), 1)
  assert.deepEqual(store.ids(), [])
})

test('a job that is kept stays, the next oldest goes in its place, and it goes when nobody keeps it any more', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const numbers = [1, 2, 3, 4].map(time => store.finished(`${time}`, time))
  const retention = createRetention(database, { ...NO_LIMITS, jobs: 2 })
  const [letGo, letGoAgain] = [retention.keep(numbers[0]!), retention.keep(numbers[0]!)]
  assert.equal(retention.prune(0), 2)
  assert.deepEqual(store.ids(), ['1', '4'])
  store.finished('5', 5)
  retention.added(ONE_BYTE)
  letGo()
  letGo()
  assert.equal(retention.prune(0), 1)
  assert.deepEqual(store.ids(), ['1', '5'])
  letGoAgain()
  store.finished('6', 6)
  retention.added(ONE_BYTE)
  assert.equal(retention.prune(0), 1)
  assert.deepEqual(store.ids(), ['5', '6'])
})

test('however many jobs are kept, those behind them are found, by and by', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const retention = createRetention(database, { ...NO_LIMITS, jobs: 0 })
  for (let time = 100; time < 450; time++) {
    retention.keep(store.finished(`${time}`, time))
    retention.added(ONE_BYTE)
  }
  store.finished('last', 1000)
  retention.added(ONE_BYTE)
  const removed = Array.from({ length: 5 }, () => retention.prune(0))
  assert.equal(
    removed.reduce((sum, count) => sum + count),
    1,
  )
  assert.equal(removed[0], 0, 'one search does not look at all of them')
  assert.equal(store.ids().length, 350)
})

test('the oldest finished jobs go first until number, size and age are within their limits', () => {
  const finished = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 50 })),
    {
      selector: ([finish]) => finish,
      maxLength: 12,
    },
  )
  const limits = fc.record({ ageMs: fc.nat(1000), jobs: fc.nat(12), bytes: fc.nat(300) })
  const database = scratchDatabase()
  fc.assert(
    fc.property(finished, limits, fc.integer({ min: 1, max: 4 }), (jobs, limit, turn) => {
      for (const table of ['jobs', 'recent_jobs']) database.prepare(`DELETE FROM ${table}`).run()
      database.prepare('DELETE FROM outputs').run()
      const store = withJobs(database)
      // Half of them were there before, half finish while the agent runs.
      const earlier = jobs.slice(jobs.length / 2)
      for (const [finish, size] of earlier) store.finished(String(finish), finish, size)
      const retention = createRetention(database, limit)
      for (const [finish, size] of jobs.slice(0, jobs.length / 2)) {
        store.finished(String(finish), finish, size)
        retention.added({ storedBytes: size, rejected: false })
      }

      const left = jobs.toSorted(([one], [other]) => one - other)
      const bytes = () => left.reduce((sum, [, size]) => sum + size, 0)
      const isTooOld = () => (left[0]?.[0] ?? 1000) < 1000 - limit.ageMs
      while (left.length > limit.jobs || bytes() > limit.bytes || isTooOld()) left.shift()

      let removed = 0
      for (let now = -1; now !== 0; removed += now) {
        now = retention.prune(1000, turn)
        assert.ok(now <= turn)
      }
      assert.equal(removed, jobs.length - left.length)
      assert.deepEqual(store.ids().sort(), left.map(([finish]) => String(finish)).sort())
      const { kept } = database.prepare('SELECT sum(length(bytes)) AS kept FROM outputs').get() as {
        kept: number
      }
      assert.equal(kept ?? 0, bytes())
    }),
  )
})

test('something is removed in each turn, also when its time is up before it has begun', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  for (let finishMs = 1; finishMs <= 3; finishMs++) store.finished(`${finishMs}`, finishMs)
  let time = 0
  const slow = () => {
    time += 1000
    return time
  }
  const retention = createRetention(database, { ...NO_LIMITS, jobs: 0 }, slow)
  const removed = Array.from({ length: 4 }, () => retention.prune(10))
  assert.deepEqual(removed, [1, 1, 1, 0])
})

test('a job that finishes in an empty store goes when it is too old, not a millisecond earlier', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const retention = createRetention(database, { ...NO_LIMITS, ageMs: DAY_MS })
  assert.equal(retention.prune(400), 0)
  store.finished('1', 1000)
  retention.added(ONE_BYTE)
  for (const nowMs of [1000, 401 + DAY_MS, 1000 + DAY_MS]) assert.equal(retention.prune(nowMs), 0)
  assert.deepEqual(store.ids(), ['1'])
  assert.equal(retention.prune(1001 + DAY_MS), 1)
  assert.deepEqual(store.ids(), [])

  store.finished('2', 1001 + DAY_MS)
  retention.added(ONE_BYTE)
  assert.equal(retention.prune(1001 + 2 * DAY_MS), 0)
  assert.equal(retention.prune(1002 + 2 * DAY_MS), 1)
})

test('when the oldest job has gone, the next one goes when its own time has come', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  for (const finishMs of [1000, 1000, 2000, 5000]) store.finished(`${store.ids().length}`, finishMs)
  const retention = createRetention(database, { ...NO_LIMITS, ageMs: DAY_MS, jobs: 4 })
  assert.equal(retention.prune(999 + DAY_MS), 0)
  // As many at once as it is allowed, and the rest the next time.
  assert.equal(retention.prune(1001 + DAY_MS, 1), 1)
  assert.equal(retention.prune(1001 + DAY_MS, 1), 1)
  assert.equal(retention.prune(1001 + DAY_MS, 1), 0)
  assert.equal(retention.prune(2000 + DAY_MS), 0)
  assert.deepEqual(store.ids(), ['2', '3'])
  assert.equal(retention.prune(2001 + DAY_MS), 1)
  assert.deepEqual(store.ids(), ['3'])
  assert.equal(retention.prune(5000 + DAY_MS), 0)
  assert.equal(retention.prune(5001 + DAY_MS), 1)
})

test('the one that took the place of the oldest, removed for number or size, goes in its time too', () => {
  for (const limit of [{ jobs: 1 }, { bytes: 1 }]) {
    const database = scratchDatabase()
    const store = withJobs(database)
    store.finished('1', 1000)
    const retention = createRetention(database, { ...NO_LIMITS, ageMs: DAY_MS, ...limit })
    assert.equal(retention.prune(2000), 0)
    store.finished('2', 3000)
    retention.added(ONE_BYTE)
    assert.equal(retention.prune(3000), 1)
    assert.deepEqual(store.ids(), ['2'])
    assert.equal(retention.prune(3000 + DAY_MS), 0)
    assert.equal(retention.prune(3001 + DAY_MS), 1)
  }
})

test('as time goes by, jobs finish and the agent is started again: exactly those that are not too old are there', () => {
  const step = fc.record({
    passes: fc.nat(300),
    // How long it took to store that a job has finished.
    finished: fc.option(fc.nat(5), { nil: undefined }),
    restarts: fc.boolean(),
  })
  const database = scratchDatabase()
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(400), fc.nat(6), (steps, ageMs, jobs) => {
      for (const table of ['jobs', 'recent_jobs']) database.prepare(`DELETE FROM ${table}`).run()
      database.prepare('DELETE FROM outputs').run()
      const store = withJobs(database)
      const limits = { ...NO_LIMITS, ageMs, jobs }
      let retention = createRetention(database, limits)
      let left: { id: string; finishMs: number }[] = []
      let nowMs = 1000
      for (const [index, { passes, finished, restarts }] of steps.entries()) {
        nowMs += passes
        if (restarts) retention = createRetention(database, limits)
        while (retention.prune(nowMs, 2) > 0);
        left = left.filter(({ finishMs }) => finishMs + ageMs >= nowMs)
        if (finished !== undefined && passes > 5) {
          const job = { id: `${1000 + index}`, finishMs: nowMs }
          store.finished(job.id, job.finishMs)
          retention.added(ONE_BYTE)
          left.push(job)
          nowMs += finished
        }
        while (retention.prune(nowMs, 2) > 0);
        left = left.filter(({ finishMs }) => finishMs + ageMs >= nowMs).slice(-jobs || left.length)
        assert.deepEqual(
          store.ids(),
          left.map(({ id }) => id),
        )
      }
    }),
  )
})

test('a clock that was ahead and is set back does not keep old jobs until it is there again', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const retention = createRetention(database, { ...NO_LIMITS, ageMs: DAY_MS })
  assert.equal(retention.prune(1000 * DAY_MS), 0)
  store.finished('1', 10 * DAY_MS)
  retention.added(ONE_BYTE)
  assert.equal(retention.prune(10.5 * DAY_MS), 0)
  assert.equal(retention.prune(11.5 * DAY_MS), 1)
  assert.deepEqual(store.ids(), [])
})

test('space is given back to the file system when there is much of it, and only then', () => {
  const database = scratchDatabase()
  const pages = (): number => database.prepare('PRAGMA page_count').get()?.page_count as number
  const store = withJobs(database)
  store.finished('1', 1, 1 << 20)
  store.finished('2', 2, 20 << 20)
  store.finished('3', 3)
  const retention = createRetention(database, { ...NO_LIMITS, jobs: 1 })
  assert.ok(pages() > 5000)

  assert.equal(retention.prune(0, 1), 1)
  const full = pages()
  assert.equal(retention.giveBack(false), false)
  assert.equal(pages(), full)
  // Where room is short a little of it is given back at a time.
  assert.equal(retention.giveBack(true), true)
  assert.equal(pages(), full - 64)

  assert.equal(retention.prune(0, 1), 1)
  assert.equal(retention.giveBack(false), true)
  assert.ok(pages() < 100, `${pages()} of ${full} pages are left`)
  assert.deepEqual(store.ids(), ['3'])
  assert.deepEqual(database.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok')
})

test('a few more than the limit are waited for, unless they are too old or too large', () => {
  const due = (limits: Partial<RetentionLimits>, finished: number, nowMs = 10) => {
    const database = scratchDatabase()
    const store = withJobs(database)
    const retention = createRetention(database, { ...NO_LIMITS, ...limits })
    retention.prune(1)
    for (let n = 0; n < finished; n++) {
      store.finished(`${1000 + n}`, 5)
      retention.added(ONE_BYTE)
    }
    return { due: retention.isPruningDue(nowMs), pruned: retention.prune(nowMs) }
  }
  assert.deepEqual(due({ jobs: 10 }, 10), { due: false, pruned: 0 })
  assert.deepEqual(due({ jobs: 10 }, 11), { due: true, pruned: 1 })
  assert.deepEqual(due({ jobs: 200 }, 202), { due: false, pruned: 2 })
  assert.deepEqual(due({ jobs: 200 }, 203), { due: true, pruned: 3 })
  assert.deepEqual(due({ bytes: 10 }, 10), { due: false, pruned: 0 })
  assert.deepEqual(due({ bytes: 10 }, 11), { due: true, pruned: 1 })
  assert.deepEqual(due({ ageMs: 100 }, 1, 106), { due: true, pruned: 1 })
})

test('jobs that cannot be removed are there and counted, and go together when they can', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const retention = createRetention(database, { ...NO_LIMITS, jobs: 1 })
  for (const id of ['1', '2', '3', '4']) {
    store.finished(id, Number(id))
    retention.added(ONE_BYTE)
  }
  database
    .prepare(`
      CREATE TRIGGER full BEFORE DELETE ON jobs WHEN old.id = '3' BEGIN
        SELECT RAISE(FAIL, 'database or disk is full');
      END`)
    .run()
  assert.throws(() => retention.prune(10), /disk is full/)
  assert.deepEqual(store.ids(), ['1', '2', '3', '4'])
  database.prepare('DROP TRIGGER full').run()
  assert.equal(retention.prune(10), 3)
  assert.deepEqual(store.ids(), ['4'])
  assert.equal(retention.prune(10), 0)
})

test('jobs that were too old go when a commit that failed is tried again', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  let isFailing = false
  const fragile: Database = {
    ...database,
    transaction: work =>
      database.transaction(() => {
        const result = work()
        if (isFailing) throw new Error('database or disk is full')
        return result
      }),
  }
  const retention = create(fragile, { ...NO_LIMITS, ageMs: DAY_MS }, recentJobs(database))
  for (const [id, finishMs] of [
    ['1', 10],
    ['2', DAY_MS],
  ] as const) {
    store.finished(id, finishMs)
    retention.added(ONE_BYTE)
  }
  recentJobs(database).moveEnded()
  isFailing = true
  assert.throws(() => retention.prune(DAY_MS + 11), /disk is full/)
  assert.deepEqual(store.ids(), ['1', '2'])
  isFailing = false
  assert.equal(retention.prune(DAY_MS + 11), 1)
  assert.deepEqual(store.ids(), ['2'])
})

test('what has ended counts also before it is moved, for an agent that cannot move it at its start', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  for (const id of ['1', '2', '3']) store.finished(id, Number(id))
  const retention = create(database, { ...NO_LIMITS, jobs: 1 }, recentJobs(database))
  assert.equal(retention.prune(10), 2)
  assert.deepEqual(store.ids(), ['3'])
})

test('jobs with large outputs do not share a transaction, for which a full disk may have no room', () => {
  const database = scratchDatabase()
  const store = withJobs(database)
  const retention = createRetention(database, { ...NO_LIMITS, jobs: 0 })
  for (const [id, size] of [
    ['1', 10],
    ['2', 10],
    ['3', 1 << 20],
    ['4', 1 << 20],
    ['5', 10],
  ] as const) {
    store.finished(id, Number(id), size)
    retention.added({ storedBytes: size, rejected: false })
  }
  const steps = Array.from({ length: 4 }, () => retention.prune(10))
  assert.deepEqual(steps, [3, 1, 1, 0])
  assert.deepEqual(store.ids(), [])
})
