import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type EndedJob,
  JOB_STATES,
  type Labels,
  labelsOf,
  NO_LABELS,
  NO_LIMITS,
  type RejectedJob,
  type RunningJob,
} from '../../../../lib/jobs/job.ts'
import type { Limits } from '../../../../lib/process/types.ts'
import type { JobQuery, StoredJob } from '../../../../lib/store/job-store.ts'
import type { Database } from '../../../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { createRecentJobs } from '../../../../lib/store/sqlite/recent-jobs.ts'
import { createRemoval } from '../../../../lib/store/sqlite/removal.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'

const idOf = ({ job }: StoredJob): string => job.id

const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const micros = fc.nat({ max: 4e15 })
const mark = fc.integer({ min: 2 ** 51, max: 2 ** 52 - 1 })
const anyJob: fc.Arbitrary<RunningJob> = fc
  .record({
    cmd: text,
    params: text,
    scriptName: text,
    scriptType: fc.constantFrom('', 'shell', 'python'),
    scriptPath: text,
    async: fc.boolean(),
    createTime: micros,
    labels: fc.constantFrom<Labels>(NO_LABELS, { env: 'prod' }, { a: '', 业务: '订单' }),
    user: fc.constantFrom('', 'deploy:www-data'),
    limits: fc.constantFrom<Limits>(NO_LIMITS, { memory: 2 ** 40, cpus: 0.5 }, { nice: 0 }),
  })
  .map(facts => runningJob(facts))
const seconds = fc.nat().map(micros => micros / 1e6)
const anyEnd = fc.record({
  state: fc.constantFrom('success', 'failed', 'canceled'),
  pid: fc.nat(),
  startTime: micros,
  finishTime: micros,
  exitCode: fc.nat(255),
  signal: fc.constantFrom('', 'SIGKILL'),
  error: text,
  reason: fc.constantFrom(
    'exited',
    'signaled',
    'timeout',
    'canceled',
    'agent-stopped',
    'out-of-memory',
    'start-failed',
    'agent-lost',
  ),
  cpu: fc.record({ user: seconds, system: seconds }, { noNullPrototype: true }),
  usage: fc.record(
    {
      cpu: fc.option(seconds),
      memory: fc.constant(null),
      peakMemory: fc.option(fc.maxSafeNat()),
      peakProcesses: fc.option(fc.nat()),
      readBytes: fc.option(fc.maxSafeNat()),
      writtenBytes: fc.option(fc.maxSafeNat()),
    },
    { noNullPrototype: true },
  ),
  leftovers: fc.nat(),
  survivors: fc.array(fc.record({ pid: fc.nat(), command: text }, { noNullPrototype: true }), {
    maxLength: 3,
  }),
})

test('a job is found as it was stored: when created, when started, when ended, and when it is moved', () => {
  const database = scratchDatabase()
  const recent = createRecentJobs(database)
  const store = createJobStore(database, undefined, recent)
  fc.assert(
    fc.property(anyJob, mark, anyEnd, fc.nat(), fc.nat(), fc.nat(), (job, itsMark, end, out, err, gone) => {
      const number = store.insert(job, itsMark)
      assert.deepEqual(store.find(job.id), { number, mark: itsMark, job, totals: NO_OUTPUT })

      store.markStarted([{ ...end, id: job.id }])
      const started = { ...job, pid: end.pid, startTime: end.startTime }
      assert.deepEqual(store.find(job.id)?.job, started)

      const ended = { ...job, ...end } as EndedJob
      const keptBytes = Math.max(0, out + err - gone)
      const totals = { stdoutBytes: out, stderrBytes: err, keptBytes }
      store.finish(ended, totals, 0)
      assert.deepEqual(store.find(job.id), { number, mark: itsMark, job: ended, totals })
      recent.moveEnded()
      assert.deepEqual(store.find(job.id), { number, mark: itsMark, job: ended, totals })
    }),
  )
})

test('a rejected job is found with its message', () => {
  const store = createJobStore(scratchDatabase())
  const { pid, startTime, ...facts } = runningJob({ cmd: 'date' })
  const job: RejectedJob = { ...facts, state: 'rejected', error: '有 5 个任务正在执行' }
  const number = store.insert(job, 0)
  assert.deepEqual(store.find(job.id), { number, mark: 0, job, totals: NO_OUTPUT })
  assert.deepEqual(store.findRunning(), [])
})

test('an id that was never stored is not found, and an id cannot be stored twice', () => {
  const store = createJobStore(scratchDatabase())
  assert.equal(store.find('0'.repeat(32)), undefined)
  const job = runningJob()
  store.insert(job, 1)
  assert.throws(() => store.insert(job, 2), /UNIQUE/)
  assert.equal(store.find(job.id)?.mark, 1)
})

test('only running jobs are found as running', () => {
  const store = createJobStore(scratchDatabase())
  const [first, second, third] = [runningJob(), runningJob(), runningJob()]
  store.insert(first, 1)
  store.insert(second, 2)
  store.finish(endOf(second), NO_OUTPUT, 0)
  store.insert(third, 3)
  assert.deepEqual(store.findRunning().map(idOf).sort(), [first.id, third.id].sort())
})

test('an idempotency key leads to the job and the hash that it was stored with, and to no other', () => {
  const store = createJobStore(scratchDatabase())
  const job = runningJob()
  store.insert(job, 1, { key: 'deploy-1', requestHash: Uint8Array.of(1, 2, 3) })
  store.insert(runningJob(), 2)
  store.insert(runningJob(), 3) // Any number of jobs without a key.
  assert.deepEqual(store.findByKey('deploy-1'), { id: job.id, requestHash: Uint8Array.of(1, 2, 3) })
  assert.equal(store.findByKey('deploy-2'), undefined)
  assert.equal(store.findByKey(''), undefined)
})

test('an idempotency key cannot be stored twice, and the second job is not stored at all', () => {
  const store = createJobStore(scratchDatabase())
  const key = { key: 'once', requestHash: Uint8Array.of(1) }
  const second = runningJob()
  store.insert(runningJob(), 1, key)
  assert.throws(() => store.insert(second, 2, key), /UNIQUE/)
  assert.equal(store.find(second.id), undefined)
})

test('lists are newest first, of one state or of all, and go on before any id', () => {
  const database = scratchDatabase()
  const recent = createRecentJobs(database)
  const store = createJobStore(database, undefined, recent)
  const all: { id: string; state: string }[] = []
  for (let index = 0; index < 40; index++) {
    const job = runningJob()
    const state = JOB_STATES[(index * 7) % JOB_STATES.length]!
    if (state === 'rejected') store.insert({ ...job, state, error: '' } as RejectedJob, 0)
    else {
      store.insert(job, 1)
      if (state !== 'running') store.finish(endOf(job, { state }), NO_OUTPUT, 0)
    }
    all.unshift({ id: job.id, state })
    if (index === 30) recent.moveEnded()
  }
  const state = fc.option(fc.constantFrom(...JOB_STATES), { nil: undefined })
  const before = fc.option(fc.constantFrom(...all.map(({ id }) => id), '0', 'f'.repeat(32)), {
    nil: undefined,
  })
  fc.assert(
    fc.property(state, before, fc.integer({ min: 1, max: 50 }), (one, id, limit) => {
      const expected = all
        .filter(job => one === undefined || job.state === one)
        .filter(job => id === undefined || job.id < id)
        .slice(0, limit)
      const listed = store.list({ states: one && [one], before: id, limit }).jobs
      assert.deepEqual(
        listed.map(({ job }) => ({ id: job.id, state: job.state })),
        expected,
      )
    }),
  )
})

/** What a list should hold, found the slow way. */
const matches = (job: RunningJob, { states, labels, caller, text, from, before }: JobQuery): boolean =>
  (states?.includes(job.state) ?? true) &&
  (labels?.every(label => labelsOf(job).includes(label)) ?? true) &&
  (caller === undefined || job.caller === caller) &&
  (text === undefined || `${job.cmd}\n${job.params}`.toLowerCase().includes(text.toLowerCase())) &&
  (from === undefined || job.id >= from) &&
  (before === undefined || job.id < before)

test('lists hold exactly what matches, whatever is asked for together, each look at a bounded number', () => {
  const database = scratchDatabase()
  const recent = createRecentJobs(database)
  const store = createJobStore(database, undefined, recent)
  const all: RunningJob[] = []
  for (let n = 0; n < 1000; n++) {
    const job = runningJob({
      cmd: ['echo 100%', 'df -h /', 'ECHO a_b', 'x\\y'][n % 4]!,
      params: n % 7 === 0 ? 'df' : '',
      caller: ['default', 'bob', 'rare'][n % 500 === 3 ? 2 : n % 2]!,
      labels: n % 3 === 0 ? { env: n % 2 ? 'prod' : 'test', n: String(n % 5) } : NO_LABELS,
    })
    store.insert(job, 1)
    const state = n % 41 === 7 ? 'running' : n % 400 === 9 ? 'canceled' : n % 2 ? 'failed' : 'success'
    if (state !== 'running') store.finish(endOf(job, { state }), NO_OUTPUT, 0)
    all.unshift({ ...job, state } as unknown as RunningJob)
    if (n === 990) recent.moveEnded()
  }
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 }) // Half of the time.
  const anyId = fc.constantFrom(...all.filter((_, n) => n % 50 === 0).map(({ id }) => id))
  const anyQuery = fc.record({
    states: maybe(fc.uniqueArray(fc.constantFrom(...JOB_STATES), { minLength: 1, maxLength: 3 })),
    labels: maybe(
      fc.uniqueArray(fc.constantFrom('env=prod', 'env=test', 'n=0', 'n=3', 'no=pe'), {
        minLength: 1,
        maxLength: 2,
      }),
    ),
    caller: maybe(fc.constantFrom('default', 'bob', 'rare', 'nobody')),
    text: maybe(fc.constantFrom('echo', '100%', 'a_b', 'DF', 'x\\y', 'y%', 'nowhere')),
    from: maybe(anyId),
    before: maybe(anyId),
    limit: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 })),
  })
  fc.assert(
    fc.property(anyQuery, query => {
      const found: string[] = []
      let looks = 0
      for (let before = query.before; ; looks++) {
        const { jobs, next } = store.list({ ...query, before, limit: query.limit - found.length })
        assert.ok(jobs.length <= query.limit - found.length)
        found.push(...jobs.map(({ job }) => job.id))
        if (next === undefined) break
        before = next
      }
      const expected = all.filter(job => matches(job, query)).slice(0, query.limit)
      assert.deepEqual(
        found,
        expected.map(({ id }) => id),
      )
      assert.ok(looks <= 1000 / 250, `${looks} looks`)
    }),
    { numRuns: 300 },
  )
})

test('what has ended is found before older jobs that still run, however far back it lies', () => {
  const database = scratchDatabase()
  const recent = createRecentJobs(database)
  const store = createJobStore(database, undefined, recent)
  const ids = Array.from({ length: 900 }, (_, n) => {
    const isRunning = n < 3
    const job = runningJob({ cmd: isRunning || [10, 20, 890].includes(n) ? 'seldom' : 'often' })
    store.insert(job, 1)
    if (!isRunning) store.finish(endOf(job), NO_OUTPUT, 0)
    return job.id
  })
  recent.moveEnded()
  const found: string[] = []
  for (let before: string | undefined; ; ) {
    const { jobs, next } = store.list({ text: 'seldom', limit: 4 - found.length, before })
    found.push(...jobs.map(({ job }) => job.id))
    if (next === undefined) break
    before = next
  }
  assert.deepEqual(
    found,
    [890, 20, 10, 2].map(n => ids[n]),
  )
})

test('beside a job that has run for long a list reads hardly more rows than it has', () => {
  const database = scratchDatabase()
  let rows = 0
  const prepare = (sql: string) => {
    const statement = database.prepare(sql)
    const all = statement.all.bind(statement)
    return Object.assign(statement, {
      all: (...values: Parameters<typeof all>) => {
        const found = all(...values)
        rows += found.length
        return found
      },
    })
  }
  const recent = createRecentJobs(database)
  const store = createJobStore({ ...database, prepare }, undefined, recent)
  for (let n = 0; n < 100; n++) {
    const job = runningJob()
    store.insert(job, 1)
    if (n > 0) store.finish(endOf(job), NO_OUTPUT, 0)
    if (n === 90) recent.moveEnded()
  }
  for (const limit of [1, 9, 10, 20, 90]) {
    rows = 0
    assert.equal(store.list({ limit }).jobs.length, limit)
    assert.ok(rows <= limit + 2, `${rows} rows for ${limit}`)
  }
})

test('a list goes along an index, whatever it is asked for, and sorts nothing', () => {
  const database = scratchDatabase()
  const plans: string[] = []
  const prepare = (sql: string) => {
    const isSlice = sql.includes('slice') // Of a bounded number, whose order costs next to nothing.
    if (sql.includes('LIMIT'))
      plans.push(...planOf(database, sql).filter(step => !(isSlice && step.endsWith('FOR ORDER BY'))))
    return database.prepare(sql)
  }
  const store = createJobStore({ ...database, prepare })
  const queries: Partial<JobQuery>[] = [
    {},
    { states: ['failed'] },
    { states: ['running', 'rejected'] },
    { caller: 'alice' },
    { caller: 'default', states: ['failed'] },
    { labels: ['a=b'] },
    { text: 'x' },
    { labels: ['a=b', 'c=d'], states: ['failed', 'success'], caller: 'alice', text: 'x' },
  ]
  for (const query of queries) store.list({ ...query, from: '0', before: 'f', limit: 10 })
  assert.ok(plans.length >= queries.length)
  assert.deepEqual(
    plans.filter(step => /^SCAN (?!slice)|TEMP B-TREE/.test(step)),
    [],
  )
})

test('the labels of a job go with it, and only they', () => {
  const database = scratchDatabase()
  const store = createJobStore(database)
  const numbers = [{ a: '1', b: '' }, { a: '1' }].map(labels => {
    const job = runningJob({ labels })
    const number = store.insert(job, 1)
    store.finish(endOf(job), NO_OUTPUT, 0)
    return number
  })
  const count = () => database.prepare('SELECT count(*) AS n FROM job_labels').get()?.n
  assert.equal(count(), 3)
  createRecentJobs(database).moveEnded()
  createRemoval(database).remove(numbers[0]!)
  assert.equal(count(), 1)
  assert.deepEqual(
    store.list({ labels: ['a=1'], limit: 9 }).jobs.map(({ number }) => number),
    [numbers[1]],
  )
})

const planOf = (database: Database, sql: string): string[] => {
  const values = Array.from({ length: sql.split('?').length - 1 }, () => 'x')
  const limit = sql.endsWith('?') ? [10] : []
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values.slice(limit.length), ...limit)
  return rows.map(({ detail }) => String(detail))
}

test('pages that follow each other hold every job once', () => {
  const store = createJobStore(scratchDatabase())
  const ids = Array.from({ length: 23 }, () => runningJob()).map(job => {
    store.insert(job, 1)
    return job.id
  })
  const seen: string[] = []
  for (let before: string | undefined; ; before = seen.at(-1)) {
    const page = store.list({ before, limit: 5 }).jobs
    seen.push(...page.map(idOf))
    if (page.length < 5) break
  }
  assert.deepEqual(seen, ids.reverse())
})
