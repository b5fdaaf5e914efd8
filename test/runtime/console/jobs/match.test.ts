import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { querySchema } from '../../../../handlers/jobs/list-jobs.ts'
import { parseDuration } from '../../../../lib/base/duration.ts'
import { type EndedJob, JOB_STATES, type Job, NO_LABELS, type RunningJob } from '../../../../lib/jobs/job.ts'
import { createJobIds, firstIdAt } from '../../../../lib/jobs/job-id.ts'
import { createJobLookup } from '../../../../lib/jobs/lookup.ts'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { type JobFilter, NO_FILTER, parseFilter, queryOf } from '../../../../runtime/console/jobs/filter.ts'
import { createdMs, isRelative, matchOf } from '../../../../runtime/console/jobs/match.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'
import { listed } from './listed-job.ts'

const NOW = Date.now()
const HALF_HOUR = 1800_000

/** In the middle of each half hour, so that the time that a test takes does not matter. */
const madeAgo = (halves: number): string =>
  firstIdAt(NOW - halves * HALF_HOUR - HALF_HOUR / 2) + '7'.repeat(20)

const word = fc.constantFrom('', 'pg_dump', 'PG_DUMP -v', 'backup 100%', 'É', 'é', 'backup_1', 'a\\b', '业务')
const anyJob: fc.Arbitrary<Job> = fc
  .record({
    cmd: word,
    params: word,
    scriptName: word,
    caller: fc.constantFrom('alice', 'Alice', 'bob'),
    labels: fc.constantFrom(
      NO_LABELS,
      { env: 'prod' },
      { env: 'prod', team: '' },
      { env: 'test', 业务: '订单' },
    ),
    state: fc.constantFrom(...JOB_STATES),
  })
  .map(({ state, ...facts }) => {
    const job: RunningJob = runningJob(facts)
    if (state === 'running') return job
    if (state === 'rejected') return { ...facts, ...job, state, error: 'full' }
    return endOf(job, { state: state as EndedJob['state'] })
  })
const time = fc.constantFrom('', '1h', '1.5 h', '90m', '0s', '99w', new Date(NOW - 3600_000).toISOString())
const anyFilter: fc.Arbitrary<JobFilter> = fc.record({
  state: fc.constantFrom('', 'running', 'failed,success', 'rejected,canceled', 'failed,failed'),
  label: fc.constantFrom('', 'env=prod', 'env=prod,team=', 'env=PROD', '业务=订单', 'env='),
  caller: fc.constantFrom('', 'alice', 'bob'),
  since: time,
  until: time,
  q: fc.constantFrom('', 'pg_dump', 'Pg_DuMp -V', '%', '_', 'é', '\\', 'up 1', '业务', ' '),
})

test('a job matches exactly when the list of the agent has it, whatever is asked for together', async () => {
  const store = createJobStore(scratchDatabase())
  const jobs = fc.sample(anyJob, JOBS).map((job, at): Job => ({ ...job, id: madeAgo(at) }))
  for (const job of jobs) {
    const created = job.state === 'rejected' ? job : runningJob({ ...job, state: 'running' } as RunningJob)
    store.insert(created, 2 ** 51)
    if (job.state !== 'running' && job.state !== 'rejected') store.finish(job, NO_OUTPUT, 0)
  }
  const { list } = createJobLookup({
    active: new Map(),
    lifecycle: { findUnstored: () => undefined, recordStarts() {} },
    jobStore: store,
    processes: { find: async () => [], usage: async () => assert.fail() },
  })
  await fc.assert(
    fc.asyncProperty(anyFilter, async filter => {
      const { state, label, q, since, until, ...rest } = querySchema.parse(queryOf(filter))
      const limit = JOBS
      const query = { ...rest, states: state, labels: label, text: q, sinceMs: since, untilMs: until, limit }
      const expected = (await list(query)).map(({ job }) => job.id)
      const matching = jobs.filter(job => matchOf(filter, listed(job), NOW) === 'yes')
      assert.deepEqual(
        matching.map(({ id }) => id),
        expected,
      )
    }),
    { numRuns: 500 },
  )
})

const JOBS = 300

test('a text that is not in the beginning of a long command may be in the rest of it', () => {
  const long = listed(runningJob({ cmd: `${'x'.repeat(2000)} needle` }))
  assert.equal(matchOf({ ...NO_FILTER, q: 'needle' }, long, NOW), 'unseen')
  assert.equal(matchOf({ ...NO_FILTER, q: 'XX' }, long, NOW), 'yes')
  assert.equal(matchOf({ ...NO_FILTER, q: 'needle', state: 'failed' }, long, NOW), 'no')
  const params = listed(runningJob({ cmd: 'echo', params: `${'x'.repeat(2000)} needle` }))
  assert.ok(params.paramsTruncated && !params.cmdTruncated)
  assert.equal(matchOf({ ...NO_FILTER, q: 'needle' }, params, NOW), 'unseen')
})

test('times so long ago are read as the agent reads them', () => {
  const amount = fc.oneof(fc.nat({ max: 999 }).map(String), fc.constantFrom('1.5', '0.25', '1.', '-1', ''))
  const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w', 'y', '', ' s', '  s', 'S')
  fc.assert(
    fc.property(amount, unit, (number, name) => {
      const text = number + name
      const ms = parseDuration(text)
      assert.equal(isRelative(text), ms !== undefined)
      if (ms === undefined) return
      const at = Math.max(0, Math.floor(NOW - ms))
      const job = (created: number) => listed(runningJob({ id: `${firstIdAt(created)}${'0'.repeat(20)}` }))
      assert.equal(matchOf({ ...NO_FILTER, since: text }, job(at), NOW), 'yes')
      if (at > 0) assert.equal(matchOf({ ...NO_FILTER, since: text }, job(at - 1), NOW), 'no')
    }),
  )
})

test('a time with which a filter begins is in it, one with which it ends is not', () => {
  const job = listed(runningJob({ id: `${firstIdAt(NOW)}${'0'.repeat(20)}` }))
  const [then, later] = [NOW, NOW + 1].map(ms => new Date(ms).toISOString())
  const matches = (filter: Partial<JobFilter>) => matchOf({ ...NO_FILTER, ...filter }, job, NOW) === 'yes'
  assert.deepEqual([matches({ since: then! }), matches({ since: later! })], [true, false])
  assert.deepEqual([matches({ until: then! }), matches({ until: later! })], [false, true])
})

test('an id tells when it was made', () => {
  const before = Date.now()
  const ms = createdMs(createJobIds()())
  assert.ok(before <= ms && ms <= Date.now())
})

test('the address keeps a filter, and what is not one is left out', () => {
  const parameters = new URLSearchParams('state=failed&label=env%3Dprod&q=a%20b&limit=3&since=')
  assert.deepEqual(parseFilter(parameters), { ...NO_FILTER, state: 'failed', label: 'env=prod', q: 'a b' })
  assert.deepEqual(queryOf(parseFilter(parameters)), { state: 'failed', label: 'env=prod', q: 'a b' })
})
