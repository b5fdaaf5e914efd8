import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROUTES } from '../../../handlers/routes.ts'
import type { JobService } from '../../../handlers/services.ts'
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
const WHAT = { sha256: 'hash of true', bodySha256: 'hash of 14 bytes' }
const TEXT = { command: 'true' }
const submission = () => post(COMMAND_PATH, { cmd: 'true' })

const audited = async (request: Request, options: FakeOptions = {}) => {
  const fake = createFake(options)
  await fake.ask(request)
  return fake.audited.map(entry => JSON.parse(JSON.stringify(entry)))
}

test('every route that changes something is audited, and none that only looks', () => {
  for (const { method, path, action } of ROUTES) assert.equal(action !== undefined, method === 'post', path)
})

test('a submission is recorded once: by the service when it accepts it, with its text, else when it is answered', async () => {
  const submit = (outcome: string, more: object) => [{ action: 'submit', outcome, ...WHO, ...more }]
  assert.deepEqual(await audited(submission()), submit('accepted', { ...WHAT, ...TEXT, job: ID }))
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

test('whom a job is to run as is recorded, also where that is the key’s affair or the job is refused', async () => {
  const request = (more: object) => post(COMMAND_PATH, { cmd: 'true', ...more })
  const users = async (...args: Parameters<typeof audited>) =>
    (await audited(...args)).map(({ outcome, user }) => [outcome, user])
  assert.deepEqual(await users(request({ user: 'deploy' })), [['accepted', 'deploy']])
  const submit: JobService['submit'] = async (_request, _caller, options) => {
    await options!.record!(ID, 'app')
    return { id: ID, rejected: false, repeated: false }
  }
  assert.deepEqual(await users(request({}), { jobs: { submit } }), [['accepted', 'app']])
  const refuse = () => Promise.reject(failure('user-not-allowed', { user: 'root' }))
  assert.deepEqual(await users(request({ user: 'root' }), { jobs: { submit: refuse } }), [
    ['user-not-allowed', 'root'],
  ])
  assert.deepEqual(await users(request({})), [['accepted', undefined]])
})

test('what cannot be stored after it was accepted has a second line, without its text', async () => {
  const lines = await audited(submission(), {
    jobs: {
      async submit(_request, _caller, options) {
        await options!.record!(ID, '')
        throw failure('not-stored')
      },
    },
  })
  assert.deepEqual(lines, [
    { action: 'submit', outcome: 'accepted', ...WHO, ...WHAT, ...TEXT, job: ID },
    { action: 'submit', outcome: 'not-stored', ...WHO, ...WHAT, job: ID },
  ])
})

test('a cancel, a signal and a drain are recorded before they are done, and done or refused', async () => {
  const path = `/api/jobs/${ID}`
  const cancel = { action: 'cancel', ...WHO, job: ID }
  const canceled = { among: `${ID} undefined` }
  assert.deepEqual(await audited(post(`${path}/cancel`, {})), [
    { ...cancel, outcome: 'begun', ...canceled },
    { ...cancel, outcome: 'done', ...canceled },
  ])
  const ended = () => Promise.reject(failure('job-ended'))
  assert.deepEqual(await audited(post(`${path}/cancel`, {}), { jobs: { cancel: ended } }), [
    { ...cancel, outcome: 'job-ended' },
  ])
  const signal = { action: 'signal', ...WHO, job: ID, detail: 'SIGHUP', among: `${ID} SIGHUP` }
  assert.deepEqual(await audited(post(`${path}/signal`, { signal: 'HUP' })), [
    { ...signal, outcome: 'begun' },
    { ...signal, outcome: 'done' },
  ])
  const drain = { action: 'drain', ...WHO, among: 'undefined undefined' }
  assert.deepEqual(await audited(post('/api/agent/drain', {})), [
    { ...drain, outcome: 'begun' },
    { ...drain, outcome: 'done' },
  ])
})

test('a drain is begun when its line is written', async () => {
  const fake = createFake()
  const { recordRepeatable } = fake.services.audit
  fake.services.audit.recordRepeatable = async entry => {
    if (entry.outcome === 'begun') assert.deepEqual(fake.calls, [])
    await recordRepeatable(entry)
  }
  await fake.ask(post('/api/agent/drain', {}))
  assert.deepEqual(fake.calls[0], ['drain'])
  assert.equal(fake.audited.length, 2)
})

test('a failed authentication is recorded, on any path; a look is not', async () => {
  assert.deepEqual(await audited(unsigned('/nowhere')), [
    { action: 'authenticate', outcome: 'signature-missing', client: ADDRESS },
  ])
  assert.deepEqual(await audited(signed('/api/jobs')), [])
  assert.deepEqual(await audited(unsigned('/healthz')), [])
})
