import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { cancelJob } from '../../../lib/client/cancel-job.ts'
import { ClientError, failed, type Result, success } from '../../../lib/client/result.ts'
import type { Call, Transport } from '../../../lib/client/transport.ts'
import type { Job } from '../../../lib/client/types.ts'

/** An agent whose answer to a cancel comes when the test says so; `wait` says how the job has ended. */
const cancelSlowly = async (t: TestContext, waited: Result<Job>) => {
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
      return waited
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
