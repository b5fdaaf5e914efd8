import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IRequestStrict } from 'itty-router'
import { createPace } from '../../../handlers/http/pace.ts'
import { commandSchema } from '../../../handlers/jobs/job-schema.ts'
import { submitJob } from '../../../handlers/jobs/submit-job.ts'
import { type AgentError, failure } from '../../../lib/base/errors.ts'
import type { Queued } from '../../../lib/jobs/job.ts'
import type { SubmitOptions } from '../../../lib/jobs/jobs.ts'
import type { Authenticator } from '../../../lib/security/authenticator.ts'
import type { Right } from '../../../lib/security/caller.ts'
import type { IdempotencyKey } from '../../../lib/store/job-store.ts'
import { isPending, withDeadline } from '../deadline.ts'
import { createFakeOutput } from '../fake-output.ts'
import {
  assertBadRequest,
  assertRefused,
  authenticatorAt,
  BODY_LIMIT,
  COMMAND_PATH,
  createFake,
  failed,
  ID,
  NOW,
  post,
  SCRIPT,
  SCRIPT_PATH,
  signed,
} from '../fake-services.ts'
import { eventReader, eventsOf } from '../server-sent-events.ts'

const SUBMISSIONS = [() => post(COMMAND_PATH, { cmd: 'true' }), () => post(SCRIPT_PATH, SCRIPT)]

test('a synchronous call is answered only when the job has ended, and read after that', async () => {
  for (const submission of SUBMISSIONS) {
    const ended = Promise.withResolvers<void>()
    const fake = createFake({ job: { waitForEnd: () => ended.promise } })
    const answer = fake.ask(submission())
    await new Promise(setImmediate)
    assert.deepEqual(
      fake.calls.map(([name]) => name),
      ['submit', 'open', 'waitForEnd'],
    )
    ended.resolve()
    assert.equal((await answer).status, 200)
    assert.deepEqual(fake.calls.at(-1), ['now'])
    assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
  }
})

test('a rejection has exactly the shape of the contract, with the true number', async () => {
  for (const submission of SUBMISSIONS) {
    for (const running of [5, 1]) {
      const fake = createFake({ jobs: { submit: async () => ({ id: ID, rejected: true, running }) } })
      const { status, text, headers } = await fake.ask(submission())
      assert.equal(status, 429)
      const msg = `有 ${running} 个任务正在执行，不能执行新任务，请稍后再尝试`
      assert.equal(text, `{"id":"${ID}","code":1,"success":false,"msg":"${msg}"}`)
      assert.equal(headers.get('retry-after'), '1')
      assert.equal(headers.get('x-job-id'), ID)
      assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
      assert.deepEqual(
        fake.calls.map(([name]) => name),
        ['submit'],
      )
    }
  }
})

const refusals: [name: string, AgentError, status: number, msg: string, retryAfter: string | null][] = [
  ['a stopping agent', failure('stopping'), 503, 'Agent 正在退出，不接受新任务', '1'],
  ['a full disk', failure('not-stored'), 503, '任务记录无法写入存储，任务未执行，请稍后再尝试', '1'],
  ['a reused key', failure('key-reused'), 409, '相同的 Idempotency-Key 已用于内容不同的请求', null],
]
for (const [name, error, status, msg, retryAfter] of refusals) {
  test(`a submission refused for ${name} is ${status} and is neither waited for nor read`, async () => {
    for (const submission of SUBMISSIONS) {
      const fake = createFake({ jobs: { submit: () => Promise.reject(error) } })
      const answer = await fake.ask(submission())
      assert.deepEqual({ status: answer.status, body: answer.body }, { status, body: failed(status, msg) })
      assert.equal(answer.headers.get('retry-after'), retryAfter)
      assert.equal(fake.calls.length, 1)
      assert.deepEqual(fake.reported, [])
    }
  })
}

test('a request whose nonce an agent that is killed would forget starts nothing, but may cancel a job', async () => {
  const isNonceStored = false
  const known = authenticatorAt(NOW)
  const authenticator: Authenticator = {
    authenticate: (credentials, client) => ({ ...known.authenticate(credentials, client), isNonceStored }),
  }
  for (const submission of SUBMISSIONS) {
    const fake = createFake({ authenticator })
    await assertRefused(fake, submission(), 503, 'nonce 无法记录，请稍后再尝试')
    assert.deepEqual(fake.calls, [])
  }
  const cancel = signed(`/api/jobs/${ID}/cancel`, { method: 'POST' })
  assert.equal((await createFake({ authenticator }).ask(cancel)).status, 200)
})

const optionsOf = async (request: Request, queued?: Queued): Promise<SubmitOptions> => {
  const fake = createFake()
  const caller = { id: 'x', rights: new Set<Right>(), bounds: {}, address: '' }
  const context = {
    requestId: 'x',
    address: '',
    isPrivate: false,
    isEncrypted: false,
    authority: '',
    target: '',
    note() {},
    caller,
    bodyRules: { limit: BODY_LIMIT, reserve: async () => ({ [Symbol.dispose]() {} }) },
    mayStart: true,
    reading: { pace: createPace(), isAllowed: () => true },
    auditLine: { add() {}, async write() {}, async begin() {} },
    queued,
  }
  // submitJob is called past the routes: no body is valid on two of them.
  const response = await submitJob(
    request as unknown as IRequestStrict,
    fake.services,
    context,
    commandSchema,
  )
  assert.equal(response.status, 200)
  return fake.calls[0]![3] as SubmitOptions
}
const keyOf = async (request: Request): Promise<IdempotencyKey> => (await optionsOf(request)).key!
const keyed = (path: string, body: unknown, key = 'k') => post(path, body, { 'Idempotency-Key': key })

test('which run of which queued one it is reaches the jobs, where a queue has given it', async () => {
  const queued = { id: 'build-4711', try: 2 }
  assert.equal((await optionsOf(post(COMMAND_PATH, { cmd: 'true' }), queued)).queue, queued)
  assert.equal((await optionsOf(post(COMMAND_PATH, { cmd: 'true' }))).queue, undefined)
})

test('a request without an Idempotency-Key has none', async () => {
  assert.equal(await keyOf(post(COMMAND_PATH, { cmd: 'true' })), undefined)
})

test('an Idempotency-Key arrives with a hash of the request, not with its body', async () => {
  const { key, requestHash, ...rest } = await keyOf(keyed(COMMAND_PATH, { cmd: 'true' }, 'retry 1~'))
  assert.equal(key, 'retry 1~')
  assert.equal(requestHash.length, 32)
  assert.deepEqual(rest, {})
})

test('the hash is the same for the same path and body, whatever the key and the signature', async () => {
  const { requestHash } = await keyOf(keyed(COMMAND_PATH, { cmd: 'true' }))
  for (const path of [COMMAND_PATH, `${COMMAND_PATH}?sign=a&signAt=b`]) {
    assert.deepEqual((await keyOf(keyed(path, { cmd: 'true' }, 'other'))).requestHash, requestHash)
  }
})

test('the hash differs when any byte of the body differs', async () => {
  const requests: [string, string][] = [
    [COMMAND_PATH, '{"cmd":"true"}'],
    [COMMAND_PATH, '{"cmd":"True"}'],
    [COMMAND_PATH, '{"cmd":"true" }'],
    [COMMAND_PATH, '{"cmd":"true","async":false}'],
  ]
  const hashes = new Set<string>()
  for (const [path, body] of requests) {
    hashes.add(Buffer.from((await keyOf(keyed(path, body))).requestHash).toString('hex'))
  }
  assert.equal(hashes.size, requests.length)
})

test('a key is 1 to 255 printable ASCII characters', async () => {
  assert.equal((await keyOf(keyed(COMMAND_PATH, { cmd: 'true' }, 'x'.repeat(255)))).key, 'x'.repeat(255))
  for (const key of ['', 'x'.repeat(256), 'é', 'a\tb', '\x7f', '\x01']) {
    const detail = 'Idempotency-Key 应为 1 到 255 个可见 ASCII 字符'
    for (const [path, body] of [
      [COMMAND_PATH, { cmd: 'true' }],
      [SCRIPT_PATH, SCRIPT],
    ] as const) {
      await assertBadRequest(keyed(path, body, key), detail)
    }
  }
})

test('a client that goes away while its job runs changes nothing of what is done for the job', async () => {
  const abort = new AbortController()
  const headers = { 'Content-Type': 'application/json' }
  const fake = createFake({ job: { waitForEnd: async () => abort.abort() } })
  const request = signed(COMMAND_PATH, {
    method: 'POST',
    headers,
    body: '{"cmd":"true"}',
    signal: abort.signal,
  })
  assert.equal((await fake.ask(request)).status, 200)
  assert.deepEqual(fake.calls.at(-1), ['now'])
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
  assert.equal(request.signal.aborted, true)
})

const EVENTS = { Accept: 'text/event-stream' }
const streamed = (headers: Record<string, string> = EVENTS, async = false) => [
  post(COMMAND_PATH, { cmd: 'true', async }, headers),
  post(SCRIPT_PATH, { ...SCRIPT, async }, headers),
]

test('a client that accepts events is given them from the start, while the job runs', async () => {
  for (const async of [false, true]) {
    for (const request of streamed(EVENTS, async)) {
      const output = createFakeOutput()
      const fake = createFake({ jobs: { open: output.open } })
      const response = await withDeadline(fake.open(request), 'the headers')
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
      assert.equal(response.headers.get('x-job-id'), ID)
      assert.deepEqual(
        fake.calls.map(([name]) => name),
        ['submit', 'open'],
      )
      assert.deepEqual(fake.calls[1], ['open', ID])
      const reader = eventReader(response)
      assert.equal((await reader.next())?.event, 'start')
      const next = reader.next()
      assert.equal(await isPending(next), true)
      output.append('stdout', 'live')
      assert.deepEqual((await next)?.data.text, 'live')
      output.end()
      assert.equal((await reader.next())?.event, 'end')
      assert.equal(await reader.next(), undefined)
      assert.deepEqual(output.follows[0]?.afterSeq, 0)
    }
  }
})

test('events are accepted among other types, in any case and with parameters', async () => {
  for (const accept of [
    'TEXT/Event-Stream',
    'application/json, text/event-stream',
    'text/event-stream;q=0.9',
    'text/event-stream ; charset=utf-8,*/*',
  ]) {
    for (const request of streamed({ Accept: accept })) {
      const response = await createFake().open(request)
      assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8', accept)
      assert.deepEqual(
        (await eventsOf(response)).map(({ event }) => event),
        ['start', 'end'],
      )
    }
  }
})

test('a client that accepts anything, or what only looks like events, is given JSON', async () => {
  for (const accept of [
    '*/*',
    'text/*',
    'application/json',
    '',
    'text/event-streams',
    'xtext/event-stream',
  ]) {
    for (const request of streamed({ Accept: accept })) {
      const fake = createFake()
      const { status, headers } = await fake.ask(request)
      assert.deepEqual(
        [status, headers.get('content-type')],
        [200, 'application/json; charset=utf-8'],
        accept,
      )
      assert.deepEqual(
        fake.calls.map(([name]) => name),
        ['submit', 'open', 'waitForEnd', 'now'],
      )
    }
  }
})

test('a submission that fails is answered as ever, whatever the client accepts', async () => {
  for (const [submit, status] of [
    [async () => ({ id: ID, rejected: true as const, running: 5 }), 429],
    [() => Promise.reject(failure('stopping')), 503],
  ] as const) {
    for (const request of streamed()) {
      const fake = createFake({ jobs: { submit } })
      const answer = await fake.ask(request)
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
      assert.deepEqual(
        fake.calls.map(([name]) => name),
        ['submit'],
      )
    }
  }
  await assertBadRequest(post(COMMAND_PATH, {}, EVENTS), 'cmd 缺失')
})

test('a submission that is sent again has its events from the start, whatever was seen before', async () => {
  const output = createFakeOutput().append('stdout', 'a').append('stdout', 'b').end()
  const fake = createFake({ jobs: { open: output.open } })
  const headers = { ...EVENTS, 'Idempotency-Key': 'k', 'Last-Event-ID': '1' }
  const events = await eventsOf(await fake.open(post(COMMAND_PATH, { cmd: 'true' }, headers)))
  assert.deepEqual(
    events.map(({ event }) => event),
    ['start', 'stdout', 'stdout', 'end'],
  )
})

test('a client that goes away from its events touches nothing of the job', async () => {
  const output = createFakeOutput()
  const fake = createFake({ jobs: { open: output.open } })
  const abort = new AbortController()
  const request = new Request(streamed()[0]!, { signal: abort.signal })
  const reader = eventReader(await fake.open(request))
  await reader.next()
  const next = reader.next()
  assert.equal(await isPending(next), true)
  abort.abort()
  assert.equal(await withDeadline(next, 'the end of the body'), undefined)
  assert.deepEqual([output.opened, output.released], [1, 1])
  assert.deepEqual(
    fake.calls.map(([name]) => name),
    ['submit', 'open', 'now'],
  )
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})
