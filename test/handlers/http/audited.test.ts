import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROUTES } from '../../../handlers/routes.ts'
import { failure } from '../../../lib/base/errors.ts'
import {
  ADDRESS,
  COMMAND_PATH,
  createFake,
  type FakeOptions,
  ID,
  post,
  signed,
  unsigned,
} from '../fake-services.ts'

const WHO = { caller: 'default', client: ADDRESS }
const WHAT = { sha256: 'hash of true' }
const submission = () => post(COMMAND_PATH, { cmd: 'true' })

const audited = async (request: Request, options: FakeOptions = {}) => {
  const fake = createFake(options)
  await fake.ask(request)
  return fake.audited.map(entry => JSON.parse(JSON.stringify(entry)))
}

test('every route that changes something is audited, and none that only looks', () => {
  for (const { method, path, action } of ROUTES) assert.equal(action !== undefined, method === 'post', path)
})

test('a submission is recorded once: by the service when it accepts it, else when it is answered', async () => {
  const submit = (outcome: string, more: object) => [{ action: 'submit', outcome, ...WHO, ...more }]
  assert.deepEqual(await audited(submission()), submit('accepted', { ...WHAT, job: ID }))
  const repeated = { id: ID, rejected: false as const, repeated: true }
  assert.deepEqual(
    await audited(submission(), { jobs: { submit: async () => repeated } }),
    submit('repeated', { ...WHAT, job: ID }),
  )
  const rejected = { id: ID, rejected: true as const, running: 5 }
  assert.deepEqual(
    await audited(submission(), { jobs: { submit: async () => rejected } }),
    submit('rejected', { ...WHAT, job: ID }),
  )
  const refuse = () => Promise.reject(failure('out-of-bounds', { field: 'cmd' }))
  assert.deepEqual(await audited(submission(), { jobs: { submit: refuse } }), submit('out-of-bounds', WHAT))
  const fail = () => Promise.reject(new Error('unexpected'))
  assert.deepEqual(await audited(submission(), { jobs: { submit: fail } }), submit('internal', WHAT))
  assert.deepEqual(await audited(submission(), { rights: ['read'] }), submit('forbidden', {}))
  assert.deepEqual(await audited(post(COMMAND_PATH, '{')), submit('invalid-request', {}))
})

test('a cancel, a signal and a drain are recorded, done or refused', async () => {
  const path = `/api/jobs/${ID}`
  assert.deepEqual(await audited(post(`${path}/cancel`, {})), [
    { action: 'cancel', outcome: 'done', ...WHO, job: ID },
  ])
  const ended = () => Promise.reject(failure('job-ended'))
  assert.deepEqual(await audited(post(`${path}/cancel`, {}), { jobs: { cancel: ended } }), [
    { action: 'cancel', outcome: 'job-ended', ...WHO, job: ID },
  ])
  assert.deepEqual(await audited(post(`${path}/signal`, { signal: 'HUP' })), [
    { action: 'signal', outcome: 'done', ...WHO, job: ID, detail: 'SIGHUP' },
  ])
  assert.deepEqual(await audited(post('/api/agent/drain', {})), [
    { action: 'drain', outcome: 'done', ...WHO },
  ])
})

test('a failed authentication is recorded, on any path; a look is not', async () => {
  assert.deepEqual(await audited(unsigned('/nowhere')), [
    { action: 'authenticate', outcome: 'signature-missing', client: ADDRESS },
  ])
  assert.deepEqual(await audited(signed('/api/jobs')), [])
  assert.deepEqual(await audited(unsigned('/healthz')), [])
})
