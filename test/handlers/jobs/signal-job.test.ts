import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import fc from 'fast-check'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { type AgentError, failure } from '../../../lib/base/errors.ts'
import {
  assertBadRequest,
  assertRefused,
  BODY_LIMIT,
  CALLER,
  createFake,
  failed,
  ID,
  jobRecord,
  post,
  signed,
  succeeded,
} from '../fake-services.ts'

const BAD_SIGNAL = 'signal 应为信号名，例如 "HUP" 或 "SIGHUP"'
const UNSUPPORTED = '请求的 Content-Type 必须是 application/json（UTF-8）'

const pathOf = (id = ID) => `/api/jobs/${id}/signal`
const signal = (body: unknown) => post(pathOf(), body)
const refused = (body: unknown, detail: string) => assertBadRequest(signal(body), detail)

/** What was given to signal() by an accepted body. */
const sentBy = async (body: unknown): Promise<unknown> => {
  const fake = createFake()
  const { status, text } = await fake.ask(signal(body))
  assert.equal(status, 200, text)
  assert.deepEqual(
    fake.calls.map(([name]) => name),
    ['open', 'signal', 'now'],
  )
  return fake.calls[1]
}

test('signal answers with the job as it is, whatever its state', async () => {
  for (const state of ['running', 'canceled'] as const) {
    const record = jobRecord({ state })
    const fake = createFake({ job: { now: async () => record } })
    const { status, body, headers } = await fake.ask(signal({ signal: 'HUP' }))
    assert.deepEqual({ status, body }, { status: 200, body: succeeded(jobToJson(record)) })
    assert.equal(headers.get('x-job-id'), ID)
    assert.deepEqual(fake.calls, [['open', ID], ['signal', ID, CALLER, 'SIGHUP', 'leader'], ['now']])
    assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
  }
})

test('signal answers only when the signal has been sent', async () => {
  const sent = Promise.withResolvers<void>()
  let answered = false
  const answer = createFake({ jobs: { signal: () => sent.promise } }).ask(signal({ signal: 'HUP' }))
  void answer.then(() => {
    answered = true
  })
  await new Promise(setImmediate)
  assert.equal(answered, false)
  sent.resolve()
  assert.equal((await answer).status, 200)
})

test('every signal of the system can be sent, with SIG before its name or without', async () => {
  for (const name of Object.keys(constants.signals)) {
    for (const written of [name, name.slice('SIG'.length)]) {
      assert.deepEqual(await sentBy({ signal: written }), ['signal', ID, CALLER, name, 'leader'])
    }
  }
})

test('a signal goes to the leader unless all are asked for', async () => {
  assert.deepEqual(await sentBy({ signal: 'USR1' }), ['signal', ID, CALLER, 'SIGUSR1', 'leader'])
  assert.deepEqual(await sentBy({ signal: 'USR1', to: 'leader' }), [
    'signal',
    ID,
    CALLER,
    'SIGUSR1',
    'leader',
  ])
  assert.deepEqual(await sentBy({ signal: 'USR1', to: 'all' }), ['signal', ID, CALLER, 'SIGUSR1', 'all'])
})

test('any other addressee is refused', async () => {
  for (const to of ['', 'ALL', 'Leader', 'group', 'all ', '__proto__', null, true, 1, [], ['all'], {}]) {
    await refused({ signal: 'HUP', to }, 'to 应为 leader 或 all')
  }
})

test('what is no name of a signal is refused', async () => {
  for (const name of ['', 'SIG', 'NOPE', 'SIGNOPE', 'SIGSIGHUP', 'EXIT', ' HUP', 'HUP ', 'HUP\n', 'HUP\0']) {
    await refused({ signal: name }, BAD_SIGNAL)
  }
})

test('a name of a signal in lower case is refused', async () => {
  for (const name of ['hup', 'sighup', 'SIGhup', 'sigHUP', 'Hup']) await refused({ signal: name }, BAD_SIGNAL)
})

test('a number is no name of a signal, zero and a negative one included', async () => {
  for (const number of ['0', '1', '9', '15', '-9', '64', 'SIG0', 'SIG9', '0x9', '9.0']) {
    await refused({ signal: number }, BAD_SIGNAL)
  }
})

test('what every object inherits is no signal', async () => {
  for (const name of [...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'length']) {
    await refused({ signal: name }, BAD_SIGNAL)
    await refused({ signal: `SIG${name}` }, BAD_SIGNAL)
  }
})

test('a signal that is no text is refused, and so is none', async () => {
  for (const value of [9, 0, null, true, ['HUP'], { name: 'HUP' }]) {
    await refused({ signal: value }, 'signal 应为 string')
  }
  await refused({}, 'signal 缺失')
  await refused({ to: 'all' }, 'signal 缺失')
})

test('every mistake is named in one answer', async () => {
  await refused({ signal: 'NOPE', to: 'me', pid: 1 }, `${BAD_SIGNAL}；to 应为 leader 或 all；未知字段 pid`)
})

test('unknown fields are refused by their names', async () => {
  await refused({ signal: 'HUP', pid: 1, TO: 'all' }, '未知字段 pid、TO（是否为 to？）')
  await refused({ signal: 'HUP', constructor: 1 }, '未知字段 constructor')
  await refused('{"signal":"HUP","__proto__":{"to":"all"}}', '未知字段 __proto__')
  await refused('{"__proto__":{"signal":"HUP"}}', 'signal 缺失；未知字段 __proto__')
})

test('a signal needs a body, of JSON, that is an object', async () => {
  await assertRefused(createFake(), signed(pathOf(), { method: 'POST' }), 415, UNSUPPORTED)
  await refused('', '请求体不是合法的 JSON')
  await refused('HUP', '请求体不是合法的 JSON')
  for (const body of ['null', '"HUP"', '9', '[]', '["HUP"]']) await refused(body, '应为 object')
  const text = post(pathOf(), { signal: 'HUP' }, { 'Content-Type': 'text/plain' })
  await assertRefused(createFake(), text, 415, UNSUPPORTED)
})

test('a body over the limit is 413', async () => {
  const body = `{"signal":"HUP"}${' '.repeat(BODY_LIMIT)}`
  await assertRefused(createFake(), signal(body), 413, `请求体超过 ${BODY_LIMIT} 字节`)
})

test('any JSON in the fields is either sent or a 400, never anything else', () =>
  fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (name, to) => {
      const fake = createFake({ bodyLimit: 1e6 })
      const { status } = await fake.ask(signal({ signal: name, to }))
      assert.equal(status, fake.calls.length === 0 ? 400 : 200)
      assert.deepEqual(fake.reported, [])
    }),
  ))

const refusals: [name: string, AgentError, status: number, msg: string][] = [
  ['a job that had ended is 409', failure('job-ended'), 409, '任务已经结束'],
  ['an unknown job is 404', failure('unknown-job'), 404, '任务不存在'],
  [
    "what has become another user's process is 409",
    failure('signal-not-permitted', { signal: 'SIGTERM' }),
    409,
    '任务的进程已属于其他用户，系统不允许发送 SIGTERM',
  ],
]
for (const [name, error, status, msg] of refusals) {
  test(`a signal to ${name}`, async () => {
    const fake = createFake({ jobs: { signal: () => Promise.reject(error) } })
    const answer = await fake.ask(post(pathOf('nope'), { signal: 'TERM', to: 'all' }))
    assert.deepEqual({ status: answer.status, body: answer.body }, { status, body: failed(status, msg) })
    assert.deepEqual(fake.calls, [
      ['open', 'nope'],
      ['signal', 'nope', CALLER, 'SIGTERM', 'all'],
    ])
    assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
    assert.deepEqual(fake.reported, [])
  })
}
