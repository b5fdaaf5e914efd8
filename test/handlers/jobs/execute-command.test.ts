import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import {
  assertBadRequest,
  CALLER,
  COMMAND_PATH,
  createFake,
  ID,
  jobRecord,
  post,
  SCRIPT,
  submittedBy,
  succeeded,
} from '../fake-services.ts'

const CONTRACT_CMD = 'for ((i=0;i<10;i++));do echo $i; sleep 1; done;'

test("the contract's synchronous command is submitted and answered with the finished job", async () => {
  const record = jobRecord({ cmd: CONTRACT_CMD })
  const fake = createFake({ job: { now: async () => record } })
  const { status, body, headers } = await fake.ask(post(COMMAND_PATH, { cmd: CONTRACT_CMD, async: false }))
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(jobToJson(record)) })
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal(headers.get('x-job-id'), ID)
  assert.deepEqual(fake.calls[0]?.slice(0, 3), [
    'submit',
    { cmd: CONTRACT_CMD, params: '', async: false },
    CALLER,
  ])
  assert.deepEqual(
    fake.calls.map(([name]) => name),
    ['submit', 'open', 'waitForEnd', 'now'],
  )
})

test("the contract's asynchronous command is answered without waiting for its end", async () => {
  const record = jobRecord({ state: 'running' })
  const fake = createFake({ job: { now: async () => record } })
  const { status, body } = await fake.ask(post(COMMAND_PATH, { cmd: CONTRACT_CMD, async: true }))
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(jobToJson(record)) })
  assert.deepEqual(fake.calls[0]?.slice(0, 3), [
    'submit',
    { cmd: CONTRACT_CMD, params: '', async: true },
    CALLER,
  ])
  assert.deepEqual(
    fake.calls.map(([name]) => name),
    ['submit', 'open', 'now'],
  )
})

test('a command may hold any text but NUL and lone surrogates', async () => {
  for (const cmd of [' ', '\n', '#', 'it\'s "open', 'echo 汉字 😀 \ufffd \u0001', 'x'.repeat(900)]) {
    assert.equal((await submittedBy(post(COMMAND_PATH, { cmd }))).cmd, cmd)
  }
})

test('the params of a command are not parsed, so their quotes need not balance', async () => {
  const params = 'it\'s "open \\'
  assert.deepEqual(await submittedBy(post(COMMAND_PATH, { cmd: 'echo', params })), {
    cmd: 'echo',
    params,
    async: false,
  })
})

test('a command that is missing, empty, no text, or not representable is refused', async () => {
  await assertBadRequest(post(COMMAND_PATH, {}), 'cmd 缺失')
  await assertBadRequest(post(COMMAND_PATH, { cmd: '' }), 'cmd 不能为空')
  for (const cmd of [null, 1, true, {}, ['true']]) {
    await assertBadRequest(post(COMMAND_PATH, { cmd }), 'cmd 应为 string')
  }
  await assertBadRequest(post(COMMAND_PATH, { cmd: 'true\0' }), 'cmd 不能含有 NUL 字符')
  for (const cmd of ['\ud800', 'a\udc00', '\udc00\ud800']) {
    await assertBadRequest(post(COMMAND_PATH, { cmd }), 'cmd 含有不成对的 Unicode 代理项')
  }
})

test('the fields of a script are unknown to a command', async () => {
  const detail = '未知字段 scriptName、scriptContent、scriptType'
  await assertBadRequest(post(COMMAND_PATH, { cmd: 'true', ...SCRIPT }), detail)
})
