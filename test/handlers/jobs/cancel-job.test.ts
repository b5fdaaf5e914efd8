import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { type AgentError, failure } from '../../../lib/base/errors.ts'
import {
  assertBadRequest,
  assertRefused,
  BODY_LIMIT,
  CALLER,
  countedBody,
  createFake,
  failed,
  ID,
  jobRecord,
  post,
  signed,
  succeeded,
} from '../fake-services.ts'

const PATH = `/api/jobs/${ID}/cancel`
const BAD_GRACE = 'grace 应为不超过 24d 的时长，例如 30s'
const UNSUPPORTED = '请求的 Content-Type 必须是 application/json（UTF-8）'

const cancel = (id = ID) => signed(`/api/jobs/${id}/cancel`, { method: 'POST' })
const refused = (body: unknown, detail: string) => assertBadRequest(post(PATH, body), detail)

/** The grace period that an accepted request gives to cancel(). */
const graceOf = async (request: Request): Promise<unknown> => {
  const fake = createFake()
  const { status, text } = await fake.ask(request)
  assert.equal(status, 200, text)
  assert.deepEqual(fake.calls, [['open', ID], ['cancel', ID, CALLER, fake.calls[1]?.[3]], ['now']])
  return fake.calls[1]?.[3]
}

/** A cancel with a body of which nothing is said but its length. */
const cancelUntyped = (body: ReadableStream, length: number): Request => {
  const init = { method: 'POST', body, duplex: 'half', headers: { 'Content-Length': String(length) } }
  const request = signed(PATH, init as RequestInit)
  assert.equal(request.headers.has('content-type'), false)
  return request
}

test('cancel stops the job of the path and answers with it, and needs no body', async () => {
  const record = jobRecord({ state: 'canceled' })
  const fake = createFake({ job: { now: async () => record } })
  const { status, body, headers } = await fake.ask(cancel())
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(jobToJson(record)) })
  assert.equal(headers.get('x-job-id'), ID)
  assert.deepEqual(fake.calls, [['open', ID], ['cancel', ID, CALLER, undefined], ['now']])
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('cancel answers only when nothing of the job lives any more', async () => {
  const gone = Promise.withResolvers<void>()
  let answered = false
  const answer = createFake({ jobs: { cancel: () => gone.promise } }).ask(cancel())
  void answer.then(() => {
    answered = true
  })
  await new Promise(setImmediate)
  assert.equal(answered, false)
  gone.resolve()
  assert.equal((await answer).status, 200)
})

test('a grace period is a duration that a timer can wait for, zero included', async () => {
  for (const [grace, ms] of Object.entries({
    '0s': 0,
    '0ms': 0,
    '0.0d': 0,
    '1ms': 1,
    '250ms': 250,
    '30s': 30_000,
    '1.5h': 5_400_000,
    '24d': 2_073_600_000,
    '2147483.647s': 2 ** 31 - 1,
  })) {
    assert.equal(await graceOf(post(PATH, { grace })), ms)
  }
})

test('a grace period over 24 days, which a timer would take for none, is refused', async () => {
  for (const grace of ['2147483.648s', '24.9d', '25d', '4w', '999999999w'])
    await refused({ grace }, BAD_GRACE)
})

test('a grace period that is no duration is refused', async () => {
  for (const grace of [
    '',
    '30',
    '0',
    '-1s',
    'abc',
    '1e3s',
    'NaN',
    'Infinity',
    '30s;',
    ' 30s',
    'constructor',
  ]) {
    await refused({ grace }, BAD_GRACE)
  }
})

test('a grace period that is no text is refused', async () => {
  for (const grace of [30, 0, null, false, [], ['30s'], { ms: 1 }])
    await refused({ grace }, 'grace 应为 string')
})

test('a body that says nothing of the grace period leaves it to the agent', async () => {
  assert.equal(await graceOf(post(PATH, {})), undefined)
  assert.equal(await graceOf(post(PATH, ' {\n} ')), undefined)
})

test('no body is said by a length of zero too', async () => {
  const request = cancel()
  request.headers.set('Content-Length', '0')
  assert.equal(await graceOf(request), undefined)
})

test('unknown fields are refused by their names', async () => {
  await refused({ graec: '30s' }, '未知字段 graec（是否为 grace？）')
  await refused({ Grace: '30s', force: true }, '未知字段 Grace（是否为 grace？）、force')
  await refused({ grace: '30s', constructor: 1 }, '未知字段 constructor')
  await refused('{"__proto__":{"grace":"0s"}}', '未知字段 __proto__')
  await refused({ grace: 'x', force: true }, `${BAD_GRACE}；未知字段 force`)
})

test('a body that is no object, or no JSON, is refused', async () => {
  for (const body of ['null', '"30s"', '30', 'true', '[]', '[{"grace":"30s"}]'])
    await refused(body, '应为 object')
  for (const body of [' ', '{', 'grace=30s', '{"grace":30s}']) await refused(body, '请求体不是合法的 JSON')
})

test('a body without a type is 415', async () => {
  const body = countedBody([Buffer.from('{"grace":"30s"}')])
  await assertRefused(createFake(), cancelUntyped(body.stream, 15), 415, UNSUPPORTED)
})

test('a body of another type is 415', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=gbk']) {
    const request = post(PATH, { grace: '30s' }, { 'Content-Type': type })
    await assertRefused(createFake(), request, 415, UNSUPPORTED)
  }
})

test('a body over the limit is 413', async () => {
  const tooLarge = `请求体超过 ${BODY_LIMIT} 字节`
  await assertRefused(createFake(), post(PATH, `{}${' '.repeat(BODY_LIMIT)}`), 413, tooLarge)
  assert.equal(await graceOf(post(PATH, `{}${' '.repeat(BODY_LIMIT - 2)}`)), undefined)
})

const refusals: [name: string, AgentError, status: number, msg: string][] = [
  ['a job that had ended is 409', failure('job-ended'), 409, '任务已经结束'],
  ['an unknown job is 404', failure('unknown-job'), 404, '任务不存在'],
]
for (const [name, error, status, msg] of refusals) {
  test(`cancel of ${name}`, async () => {
    const fake = createFake({ jobs: { cancel: () => Promise.reject(error) } })
    const answer = await fake.ask(cancel('nope'))
    assert.deepEqual({ status: answer.status, body: answer.body }, { status, body: failed(status, msg) })
    assert.deepEqual(fake.calls, [
      ['open', 'nope'],
      ['cancel', 'nope', CALLER, undefined],
    ])
    assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
    assert.deepEqual(fake.reported, [])
  })
}
