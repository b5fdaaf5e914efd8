import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { NO_USAGE } from '../../../lib/process/types.ts'
import type { OutboxSummary } from '../../../lib/store/outbox-store.ts'
import { createFakeOutput } from '../fake-output.ts'
import { assertBadRequest, createFake, failed, ID, jobRecord, signed, succeeded } from '../fake-services.ts'

const PATH = `/api/jobs/${ID}`

test('a job is answered whole, with its output, at once', async () => {
  const record = jobRecord({ state: 'running' })
  const fake = createFake({ job: { now: async () => record } })
  const { status, body, headers } = await fake.ask(signed(PATH))
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(jobToJson(record)) })
  assert.equal(headers.get('x-job-id'), ID)
  assert.deepEqual(fake.calls, [
    ['open', ID],
    ['now', { usage: true }],
  ])
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('an unknown job is 404, also when it is waited for', async () => {
  for (const query of ['', '?wait=1s']) {
    const fake = createFake({ jobs: { open: () => undefined } })
    const { status, body } = await fake.ask(signed(`/api/jobs/nope${query}`))
    assert.deepEqual({ status, body }, { status: 404, body: failed(404, '任务不存在') })
    assert.deepEqual(fake.calls, [['open', 'nope']])
  }
})

test('a job that was removed while it was waited for is 404', async () => {
  const fake = createFake({ job: { now: async () => undefined } })
  const { status, body } = await fake.ask(signed(`${PATH}?wait=1s`))
  assert.deepEqual({ status, body }, { status: 404, body: failed(404, '任务不存在') })
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('an id is looked up as it came, whatever it looks like', async () => {
  for (const id of ['a%2Fb', '%00', '..%2f..', 'execute', 'x'.repeat(1000), "';drop%20table"]) {
    const fake = createFake({ jobs: { open: () => undefined } })
    assert.equal((await fake.ask(signed(`/api/jobs/${id}`))).status, 404)
    assert.deepEqual(fake.calls, [['open', id]])
  }
})

test('what a running job uses is asked for, and told', async () => {
  const usageNow = { ...NO_USAGE, memory: 4096 }
  const fake = createFake({ job: { now: async () => ({ ...jobRecord({ state: 'running' }), usageNow }) } })
  const { body } = await fake.ask(signed(PATH))
  assert.deepEqual((body as { data: { usage: unknown } }).data.usage, usageNow)
  assert.deepEqual(fake.calls, [
    ['open', ID],
    ['now', { usage: true }],
  ])
})

test('wait is waited for first, up to ten minutes', async () => {
  for (const [wait, ms] of Object.entries({
    '0s': 0,
    '1ms': 1,
    '30s': 30_000,
    '10m': 600_000,
    '0.1h': 360_000,
  })) {
    const fake = createFake()
    assert.equal((await fake.ask(signed(`${PATH}?wait=${wait}`))).status, 200)
    assert.deepEqual(namesOf(fake.calls), ['open', 'waitForEnd', 'now'])
    assert.equal((fake.calls[1]![1] as { ms: number }).ms, ms)
  }
})

test('a job that is waited for is read after it has ended', async () => {
  const ended = Promise.withResolvers<void>()
  const fake = createFake({ job: { waitForEnd: () => ended.promise } })
  const answer = fake.ask(signed(`${PATH}?wait=1m`))
  await new Promise(setImmediate)
  assert.deepEqual(namesOf(fake.calls), ['open', 'waitForEnd'])
  assert.deepEqual(fake.opens, { opened: 1, closed: 0 })
  ended.resolve()
  assert.equal((await answer).status, 200)
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('a wait that is too long, or no duration, is refused before anything is looked up', async () => {
  for (const wait of ['600001ms', '11m', '1h', '-1s', '30', '', 'abc', 'NaNs', 'Infinity', '1e3s', '30s;']) {
    await assertBadRequest(
      signed(`${PATH}?wait=${encodeURIComponent(wait)}`),
      'wait 应为不超过 10m 的时长，例如 30s',
    )
  }
})

test('output=false leaves the output out', async () => {
  for (const [query, stdout] of [
    ['?output=true', 'text'],
    ['?output=false', ''],
    ['', 'text'],
  ]) {
    const output = createFakeOutput().append('stdout', 'text').end()
    const { body } = await createFake({ jobs: { open: output.open } }).ask(signed(PATH + query))
    assert.equal((body as { data: { stdout: string } }).data.stdout, stdout)
  }
})

test('any other output is refused', async () => {
  for (const output of ['', '0', 'no', 'False', 'true%20']) {
    await assertBadRequest(signed(`${PATH}?output=${output}`), 'output 应为 true 或 false')
  }
})

test('a repeated parameter is refused, even if it says the same twice', async () => {
  await assertBadRequest(signed(`${PATH}?wait=1s&wait=1s`), 'wait 重复')
  await assertBadRequest(signed(`${PATH}?output=true&output=false`), 'output 重复')
})

const namesOf = (calls: unknown[][]) => calls.map(([name]) => name)

const NOTIFICATION: OutboxSummary = {
  number: 1,
  id: `${ID}.ended`,
  jobId: ID,
  sink: 'callback',
  target: 'https://ci.example.com/done?token=secret',
  origin: 'https://ci.example.com',
  kind: 'ended',
  createdAt: 1_670_999_470_000,
  tries: 2,
  nextTryAt: 1_670_999_480_000,
  state: 'pending',
  lastTryAt: 1_670_999_475_000,
  lastError: 'status 500',
}

test('what has become of its callbacks is told, without what may prove who may call: a query, or a path of the settings', async () => {
  const record = jobRecord()
  const job = { ...record.job, notify: { url: NOTIFICATION.target, on: ['ended' as const] } }
  const notifications = (id: string): OutboxSummary[] => [
    { ...NOTIFICATION, jobId: id },
    {
      ...NOTIFICATION,
      ...{ target: 'http://ops:8080/hook/secret', origin: 'http://ops:8080' },
      ...{ tries: 0, lastTryAt: undefined, nextTryAt: undefined, lastError: '' },
    },
  ]
  const now = async () => ({ ...record, job })
  const { body } = await createFake({ notifications, job: { now } }).ask(signed(PATH))
  const common = { event: 'ended', state: 'pending' }
  assert.deepEqual((body as { data: { notifications: unknown } }).data.notifications, [
    {
      ...common,
      url: 'https://ci.example.com/done',
      tries: 2,
      lastTryTime: '2022-12-14T06:31:15Z',
      nextTryTime: '2022-12-14T06:31:20Z',
      error: 'status 500',
    },
    { ...common, url: 'http://ops:8080', tries: 0, lastTryTime: null, nextTryTime: null, error: '' },
  ])
})

test('where there are none it is not told, and neither in a list', async () => {
  const { body } = await createFake().ask(signed(PATH))
  assert.equal('notifications' in (body as { data: object }).data, false)
  const notifications = () => [NOTIFICATION]
  const list = await createFake({ notifications, jobs: { list: async () => [jobRecord()] } }).ask(
    signed('/api/jobs'),
  )
  assert.equal('notifications' in (list.body as { data: object[] }).data[0]!, false)
})
