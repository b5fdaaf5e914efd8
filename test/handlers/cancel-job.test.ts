import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentError } from '../../lib/errors.ts'
import { errors } from '../../lib/errors.ts'
import type { JobJson } from '../../lib/job.ts'
import { createFake, failed, ID, jobJson, signed, succeeded } from './fake-services.ts'

const cancel = (id = ID) => signed(`/api/jobs/${id}/cancel`, { method: 'POST' })

test('cancel stops the job of the path and answers with it, and needs no body', async () => {
  const job = jobJson({ state: 'canceled', reason: 'canceled', error: 'signal: terminated' })
  const fake = createFake({ jobs: { cancel: async () => job } })
  const { status, body, headers } = await fake.ask(cancel())
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(job) })
  assert.equal(headers.get('x-job-id'), ID)
  assert.deepEqual(fake.calls, [['cancel', ID, undefined]])
})

test('cancel answers only when nothing of the job lives any more', async () => {
  const gone = Promise.withResolvers<JobJson>()
  let answered = false
  const answer = createFake({ jobs: { cancel: () => gone.promise } }).ask(cancel())
  void answer.then(() => {
    answered = true
  })
  await new Promise(setImmediate)
  assert.equal(answered, false)
  gone.resolve(jobJson({ state: 'canceled' }))
  assert.equal((await answer).status, 200)
})

const refusals: [name: string, AgentError, status: number, msg: string][] = [
  ['a job that had ended is 409', errors.jobEnded(), 409, '任务已经结束'],
  ['an unknown job is 404', errors.unknownJob(), 404, '任务不存在'],
]
for (const [name, error, status, msg] of refusals) {
  test(`cancel of ${name}`, async () => {
    const fake = createFake({ jobs: { cancel: () => Promise.reject(error) } })
    const answer = await fake.ask(cancel('nope'))
    assert.deepEqual({ status: answer.status, body: answer.body }, { status, body: failed(status, msg) })
    assert.deepEqual(fake.calls, [['cancel', 'nope', undefined]])
    assert.deepEqual(fake.reported, [])
  })
}
