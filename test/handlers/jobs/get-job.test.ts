import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertBadRequest, createFake, failed, ID, jobJson, signed, succeeded } from '../fake-services.ts'

const PATH = `/api/jobs/${ID}`

test('a job is answered whole, with its output, at once', async () => {
  const job = jobJson({ state: 'running', finishTime: '0001-01-01T00:00:00Z', reason: '' })
  const fake = createFake({ jobs: { get: async () => job } })
  const { status, body, headers } = await fake.ask(signed(PATH))
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(job) })
  assert.equal(headers.get('x-job-id'), ID)
  assert.deepEqual(fake.calls, [['get', ID, { output: true }]])
})

test('an unknown job is 404, also when it is waited for', async () => {
  for (const [query, expected] of [
    ['', [['get', 'nope', { output: true }]]],
    [
      '?wait=1s',
      [
        ['waitForEnd', 'nope', 1000],
        ['get', 'nope', { output: true }],
      ],
    ],
  ] as const) {
    const fake = createFake({ jobs: { get: async () => undefined } })
    const { status, body } = await fake.ask(signed(`/api/jobs/nope${query}`))
    assert.deepEqual({ status, body }, { status: 404, body: failed(404, '任务不存在') })
    assert.deepEqual(fake.calls, expected)
  }
})

test('an id is looked up as it came, whatever it looks like', async () => {
  for (const id of ['a%2Fb', '%00', '..%2f..', 'execute', 'x'.repeat(1000), "';drop%20table"]) {
    const fake = createFake({ jobs: { get: async () => undefined } })
    assert.equal((await fake.ask(signed(`/api/jobs/${id}`))).status, 404)
    assert.deepEqual(fake.calls, [['get', id, { output: true }]])
  }
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
    assert.deepEqual(fake.calls, [
      ['waitForEnd', ID, ms],
      ['get', ID, { output: true }],
    ])
  }
})

test('a job that is waited for is read after it has ended', async () => {
  const ended = Promise.withResolvers<void>()
  const fake = createFake({ jobs: { waitForEnd: () => ended.promise } })
  const answer = fake.ask(signed(`${PATH}?wait=1m`))
  await new Promise(setImmediate)
  assert.deepEqual(fake.calls, [['waitForEnd', ID, 60_000]])
  ended.resolve()
  assert.equal((await answer).status, 200)
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
  for (const output of [true, false]) {
    const fake = createFake()
    assert.equal((await fake.ask(signed(`${PATH}?output=${output}`))).status, 200)
    assert.deepEqual(fake.calls, [['get', ID, { output }]])
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

test('unknown parameters are passed over', async () => {
  assert.equal((await createFake().ask(signed(`${PATH}?x=1&x=2&__proto__=3&constructor`))).status, 200)
})
