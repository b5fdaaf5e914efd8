import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMAND_PATH, createFake, ID, post, signed, unsigned } from '../fake-services.ts'

test('the metrics are text, without an envelope, for who may read', async () => {
  const { status, text, headers } = await createFake().ask(signed('/metrics'))
  assert.deepEqual([status, text], [200, 'newdt_jobs_total 1\n'])
  assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  assert.equal((await createFake().ask(unsigned('/metrics'))).status, 401)
  assert.equal((await createFake({ rights: ['run'] }).ask(signed('/metrics'))).status, 403)
})

test('every answer is counted by its method, its route and its status, and no client makes up a name', async () => {
  const fake = createFake()
  const requests = [
    signed(`/api/jobs/${ID}`),
    signed(`/api/jobs/${ID}`, { method: 'HEAD' }),
    post(COMMAND_PATH, { cmd: 'true' }),
    post(COMMAND_PATH, '{'),
    signed(COMMAND_PATH),
    signed('/made/up'),
    signed('/made/up', { method: 'PROPFIND' }),
    unsigned('/healthz'),
  ]
  for (const request of requests) await fake.ask(request)
  assert.deepEqual(fake.counted, [
    'GET /api/jobs/:id 200',
    'HEAD /api/jobs/:id 200',
    'POST /api/jobs/execute/cmd 200',
    'POST /api/jobs/execute/cmd 400',
    'GET /api/jobs/execute/cmd 405',
    'GET other 404',
    'other other 404',
    'GET /healthz 200',
  ])
})

test('who is not known is counted by the reason', async () => {
  const fake = createFake()
  await fake.ask(unsigned('/api/jobs'))
  assert.deepEqual(fake.counted, ['signature-missing', 'GET other 401'])
})
