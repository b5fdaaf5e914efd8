import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { cancelJob } from '../../../lib/client/cancel-job.ts'
import { ClientError, failed, type Result, success } from '../../../lib/client/result.ts'
import type { Call, Transport } from '../../../lib/client/transport.ts'
import type { Job } from '../../../lib/client/types.ts'

/** An agent whose answer to a cancel comes when the test says so; `wait` says how the job has ended. */
const cancelSlowly = async (t: TestContext, ...waited: Result<Job>[]) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked: Call[] = []
  const answer = Promise.withResolvers<Result<Job>>()
  const call = async (_path: string, _isExpected: unknown, call: Call) => {
    asked.push(call)
    return answer.promise
  }
  const waiting = Promise.withResolvers<void>()
  const canceled = cancelJob({ call } as unknown as Transport, '/api/jobs/1', {
    grace: '10m',
    async wait() {
      waiting.resolve()
      return waited.length > 1 ? waited.shift()! : waited[0]!
    },
  })
  t.mock.timers.tick(60_000)
  await waiting.promise
  return { asked, answer, canceled }
}

const ended = (reason: Job['reason']) => success({ state: 'failed', reason } as Job)

test('a cancel whose answer is long in coming is asked once, and resolves when the job has ended', async t => {
  const { asked, canceled } = await cancelSlowly(t, ended('canceled'))
  assert.deepEqual(await canceled, ended('canceled'))
  assert.deepEqual(
    asked.map(({ body }) => body),
    [{ grace: '10m' }],
  )
  assert.ok(asked[0]!.signal?.aborted, 'the request is let go of')
})

test('a job that has ended by itself meanwhile was not canceled', async t => {
  const { canceled } = await cancelSlowly(t, ended('exited'))
  const result = await canceled
  assert.equal(!result.ok && result.error.word, 'job-ended')
})

test('who may cancel a job, but not look at it, waits for the answer', async t => {
  const forbidden = failed(new ClientError('forbidden', 'not allowed', { status: 403 }))
  const { answer, asked, canceled } = await cancelSlowly(t, forbidden)
  answer.resolve(ended('canceled'))
  assert.deepEqual(await canceled, ended('canceled'))
  assert.equal(asked.length, 1)
})

const gateway = failed(new ClientError('not-an-agent', 'HTTP 504', { status: 504, mayBeDone: true }))
const unreachable = failed(new ClientError('unreachable', 'no route'))

/** Time goes by until it is over. */
const settle = async <T>(t: TestContext, promise: Promise<T>): Promise<T> => {
  let isOver = false
  void promise.finally(() => {
    isOver = true
  })
  for (let turn = 0; turn < 1000 && !isOver; turn++) {
    await new Promise(setImmediate)
    if (!isOver) t.mock.timers.tick(1000)
  }
  return promise
}

test('looks that fail do not end a cancel whose answer comes, nor one that looks again', async t => {
  const answered = await cancelSlowly(t, unreachable)
  answered.answer.resolve(ended('canceled'))
  assert.deepEqual(await settle(t, answered.canceled), ended('canceled'))
  t.mock.timers.reset()
  const looked = await cancelSlowly(t, unreachable, unreachable, ended('canceled'))
  assert.deepEqual(await settle(t, looked.canceled), ended('canceled'))
})

test('a proxy that gives up the answer does not end a cancel; it fails when the looks fail too', async t => {
  for (const [waited, expected] of [
    [ended('canceled'), ended('canceled')],
    [unreachable, unreachable],
  ] as const) {
    const { answer, canceled } = await cancelSlowly(t, waited)
    answer.resolve(gateway)
    assert.deepEqual(await settle(t, canceled), expected)
    t.mock.timers.reset()
  }
})

test('a proxy that gives up before it is looked for the end does not either, unless it has not waited at all', async t => {
  for (const [afterMs, expected] of [
    [10_000, ended('canceled')],
    [100, gateway],
  ] as const) {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const answer = Promise.withResolvers<Result<Job>>()
    const call = () => answer.promise
    const canceled = cancelJob({ call } as unknown as Transport, '/api/jobs/1', {
      grace: undefined,
      wait: async () => ended('canceled'),
    })
    t.mock.timers.tick(afterMs)
    await new Promise(setImmediate)
    answer.resolve(gateway)
    assert.deepEqual(await settle(t, canceled), expected)
    t.mock.timers.reset()
  }
})
