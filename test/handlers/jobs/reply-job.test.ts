import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutputRemovedError } from '../../../lib/output/view.ts'
import { createFakeOutput } from '../fake-output.ts'
import { COMMAND_PATH, createFake, ID, jobJson, post, signed, succeeded } from '../fake-services.ts'

const PATH = `/api/jobs/${ID}`

/** As jobs.get leaves out what is too long for one piece. */
const withoutOutput = jobJson({ stdout: '', stderr: '', stdoutBytes: 12, stderrBytes: 3, droppedBytes: 0 })

test('output that is left out of a job is sent as it is read, whole and in order', async () => {
  const output = createFakeOutput()
  output.append('stdout', '"你\\')
  output.append('stderr', '\0\u{1f600}')
  output.append('stdout', '\nend')
  output.end()
  const expected = succeeded({ ...withoutOutput, stdout: '"你\\\nend', stderr: '\0\u{1f600}' })
  for (const request of [signed(PATH), post(COMMAND_PATH, { cmd: 'x' }), post(`${PATH}/cancel`, {})]) {
    const jobs = {
      get: async () => withoutOutput,
      cancel: async () => withoutOutput,
      open: output.open,
    }
    const { status, body, headers } = await createFake({ jobs }).ask(request)
    assert.deepEqual({ status, body }, { status: 200, body: expected })
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
    assert.equal(headers.get('content-length'), null)
    assert.equal(headers.get('x-job-id'), ID)
  }
})

test('output that nobody asked for is not read', async () => {
  const fake = createFake({ jobs: { get: async () => withoutOutput } })
  const { body } = await fake.ask(signed(`${PATH}?output=false`))
  assert.deepEqual(body, succeeded(withoutOutput))
  assert.deepEqual(fake.calls, [['get', ID, { output: false }]])
})

test('of a running job nothing is read beside what it came with: it would be gone before it is sent', async () => {
  const running = { ...withoutOutput, state: 'running' as const }
  const fake = createFake({ jobs: { get: async () => running } })
  const { body } = await fake.ask(signed(PATH))
  assert.deepEqual(body, succeeded(running))
  assert.deepEqual(fake.calls, [['get', ID, { output: true }]])
})

test('output that goes while it is sent breaks the answer off: no end of JSON hides that', async () => {
  const view = {
    ...createFakeOutput().end().view,
    *texts() {
      yield 'some'
      throw new OutputRemovedError()
    },
  }
  const response = await createFake({
    jobs: { get: async () => withoutOutput, openOutput: () => view },
  }).open(signed(PATH))
  await assert.rejects(response.text())
})
