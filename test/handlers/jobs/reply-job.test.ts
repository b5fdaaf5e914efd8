import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { OutputRemovedError } from '../../../lib/output/view.ts'
import { settled } from '../deadline.ts'
import { createFakeOutput, type FakeOutput } from '../fake-output.ts'
import {
  COMMAND_PATH,
  createFake,
  ID,
  jobRecord,
  post,
  REQUEST_ID,
  signed,
  succeeded,
} from '../fake-services.ts'
import { eventsOf } from '../server-sent-events.ts'

const PATH = `/api/jobs/${ID}`
const REQUESTS = [
  () => signed(PATH),
  () => post(COMMAND_PATH, { cmd: 'x' }),
  () => post(`${PATH}/cancel`, {}),
  () => post(`${PATH}/signal`, { signal: 'HUP' }),
]
const LONG = 300 * 1024
const PIECE = 'x'.repeat(64 * 1024)

const fakeOf = (output: FakeOutput) => createFake({ jobs: { open: output.open } })

/** More than is answered in one piece. */
const fillLong = (output: FakeOutput): FakeOutput => {
  for (let length = 0; length < LONG; length += PIECE.length) output.append('stdout', PIECE)
  return output
}

const jsonNow = async (output: FakeOutput) => jobToJson((await output.open().now())!)

test('a job with little output is one piece with a length, its fields in the order of the contract', async () => {
  for (const isRunning of [true, false]) {
    for (const request of REQUESTS) {
      const output = createFakeOutput().append('stdout', '"你\\').append('stderr', '\0\u{1f600}\n')
      if (!isRunning) output.end()
      const expected = succeeded({ ...(await jsonNow(output)), stdout: '"你\\', stderr: '\0\u{1f600}\n' })
      const fake = fakeOf(output)
      const { status, text, headers } = await fake.ask(request())
      assert.equal(status, 200)
      assert.equal(text, JSON.stringify(expected))
      assert.equal(headers.get('content-length'), String(Buffer.byteLength(text)))
      assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
      assert.equal(headers.get('x-job-id'), ID)
      assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
    }
  }
})

test('a job with long output is sent as it is read, whole and in order, running or not', async () => {
  for (const isRunning of [true, false]) {
    for (const request of REQUESTS) {
      const output = fillLong(createFakeOutput().append('stderr', '警"告')).append('stdout', '\nend')
      if (!isRunning) output.end()
      const stdout = output.of('stdout').toString()
      const expected = succeeded({ ...(await jsonNow(output)), stdout, stderr: '警"告' })
      const fake = fakeOf(output)
      const { status, text, headers } = await fake.ask(request())
      assert.equal(status, 200)
      assert.ok(text === JSON.stringify(expected))
      assert.equal(headers.get('content-length'), null)
      assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
      assert.equal(headers.get('x-job-id'), ID)
      assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
    }
  }
})

test('of the long output of a running job no more is taken than its reader has room for', async () => {
  const output = createFakeOutput()
  for (let count = 0; count < 100; count++) output.append('stdout', PIECE)
  let taken = 0
  const open = () => {
    const job = output.open()
    const snapshot = () => {
      const whole = job.output.snapshot()
      return {
        ...whole,
        *texts(stream: 'stdout' | 'stderr') {
          for (const text of whole.texts(stream)) {
            taken++
            yield text
          }
        },
      }
    }
    return { ...job, output: { ...job.output, snapshot } }
  }
  const fake = createFake({ jobs: { open } })
  const reader = (await fake.open(signed(PATH))).body!.getReader()
  await settled()
  assert.ok(taken <= 1, `${taken} taken unasked`)
  for (let count = 0; count < 10; count++) assert.ok((await reader.read()).value!.length < 400_000)
  await settled()
  assert.ok(taken <= 11, `${taken} taken for 10`)
  assert.deepEqual(fake.opens, { opened: 1, closed: 0 })
  await reader.cancel()
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('what a running job writes while it is sent is not in the answer, and not counted', async () => {
  const output = fillLong(createFakeOutput())
  const expected = succeeded({ ...(await jsonNow(output)), stdout: output.of('stdout').toString() })
  const response = await fakeOf(output).open(signed(PATH))
  output.append('stdout', 'later').append('stderr', 'later')
  assert.ok((await response.text()) === JSON.stringify(expected))
})

test('what a running job supersedes before it is read counts as dropped', async () => {
  const output = fillLong(createFakeOutput())
  const response = await fakeOf(output).open(signed(PATH))
  output.supersede(2, 3)
  const { data } = (await response.json()) as { data: ReturnType<typeof jobToJson> }
  assert.equal(data.stdout.length, output.of('stdout').length)
  assert.equal(data.droppedBytes, 2 * PIECE.length)
  assert.equal(data.stdoutBytes, data.stdout.length + data.droppedBytes)
})

test('output that was removed before it was read counts as dropped: no answer is silently empty', async () => {
  const record = jobRecord({}, { stdoutBytes: 6, stderrBytes: 1, keptBytes: 7 })
  const emptied = createFakeOutput().end()
  for (const request of REQUESTS) {
    const fake = createFake({ job: { now: async () => record, output: emptied.view } })
    const { status, body } = await fake.ask(request())
    assert.deepEqual(
      { status, body },
      { status: 200, body: succeeded({ ...jobToJson(record), droppedBytes: 7 }) },
    )
  }
})

test('a removal that is noticed before anything was sent is told as dropped bytes too', async () => {
  const output = createFakeOutput().append('stdout', 'gone').end()
  const record = (await output.open().now())!
  const texts = () => {
    throw new OutputRemovedError()
  }
  const view = { ...output.view, snapshot: () => ({ texts, deliveredBytes: () => 0 }) }
  const fake = createFake({ job: { now: async () => record, output: view } })
  const { status, body } = await fake.ask(signed(PATH))
  assert.deepEqual(
    { status, body },
    { status: 200, body: succeeded({ ...jobToJson(record), droppedBytes: 4 }) },
  )
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('without its output a job says what is kept of it, and nothing is read', async () => {
  const record = jobRecord({}, { stdoutBytes: 12, stderrBytes: 3, keptBytes: 10 })
  const snapshot = () => assert.fail('the output was read')
  const output = { ...createFakeOutput().view, snapshot }
  const fake = createFake({ job: { now: async () => record, output } })
  const { body } = await fake.ask(signed(`${PATH}?output=false`))
  assert.deepEqual(body, succeeded({ ...jobToJson(record), droppedBytes: 5 }))
})

test('output that goes while it is sent breaks the answer off: no end of JSON hides that', async () => {
  const output = fillLong(createFakeOutput()).end()
  const fake = fakeOf(output)
  const response = await fake.open(signed(PATH))
  output.remove()
  await assert.rejects(response.text(), OutputRemovedError)
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('the end event has the same text, and says what is not there', async () => {
  const record = jobRecord({}, { stdoutBytes: 6, stderrBytes: 1, keptBytes: 7 })
  const fake = createFake({ job: { now: async () => record, output: createFakeOutput().end().view } })
  const events = await eventsOf(await fake.open(signed(`${PATH}/events`)))
  assert.deepEqual(events.at(-1), { event: 'end', data: { ...jobToJson(record), droppedBytes: 7 } })
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('a job is closed when it cannot be read, or what is asked of it fails', async () => {
  const error = new Error('disk /root/secret')
  const failing = () => Promise.reject(error)
  for (const [fake, request] of [
    [createFake({ job: { now: failing } }), signed(PATH)],
    [createFake({ job: { waitForEnd: failing } }), signed(`${PATH}?wait=1s`)],
    [createFake({ jobs: { cancel: failing } }), post(`${PATH}/cancel`, {})],
    [createFake({ jobs: { signal: failing } }), post(`${PATH}/signal`, { signal: 'HUP' })],
  ] as const) {
    assert.equal((await fake.ask(request)).status, 500)
    assert.deepEqual(fake.reported, [[error, REQUEST_ID]])
    assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
  }
})

test('a client that goes away while a long answer is sent closes the job, without another read', async () => {
  const gone = new AbortController()
  const fake = fakeOf(fillLong(createFakeOutput()))
  const response = await fake.open(signed(PATH, { signal: gone.signal }))
  const reader = response.body!.getReader()
  await reader.read()
  gone.abort()
  await settled()
  assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
})

test('who may not read jobs sees no output of a job, not even by controlling it, but that of their own', async () => {
  const control = [() => post(`${PATH}/cancel`, {}), () => post(`${PATH}/signal`, { signal: 'HUP' })]
  for (const [owner, right, isSeen] of [
    ['alice', 'admin', false],
    ['default', 'admin', true],
    ['default', 'run', true],
    ['alice', 'read', true],
  ] as const) {
    for (const fill of [(output: FakeOutput) => output.append('stdout', 'the secret'), fillLong]) {
      for (const request of control) {
        const output = fill(createFakeOutput())
        const { output: totals } = (await output.open().now())!
        const now = async () => jobRecord({ state: 'running', caller: owner }, totals)
        const open = () => ({ ...output.open(), now })
        const fake = createFake({ jobs: { open }, rights: ['admin', right] })
        const { status, body } = await fake.ask(request())
        const { stdout, stdoutBytes } = (body as { data: { stdout: string; stdoutBytes: number } }).data
        assert.deepEqual([status, stdout !== '', stdoutBytes], [200, isSeen, totals.stdoutBytes])
      }
    }
  }
})
