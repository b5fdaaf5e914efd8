import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFake, STATUS, signed, succeeded } from '../fake-services.ts'

test('the agent tells its version, its slots, and whether guardian and store are as they should be', async () => {
  const { limits } = STATUS
  const fake = createFake({
    status: { limits: { ...limits, cpus: { missing: 'a cgroup' } }, users: { missing: 'setpriv' } },
  })
  const { status, body } = await fake.ask(signed('/api/agent'))
  const data = {
    version: '1.2.3',
    startTime: '2026-01-31T12:00:00Z',
    running: 2,
    limit: 5,
    stopping: false,
    draining: false,
    guesses: { wrong: 3, unseen: 1 },
    guardian: { state: 'running', restarts: 0 },
    audit: { state: 'ok' },
    limits: { ...limits, cpus: { missing: 'a cgroup' } },
    users: { missing: 'setpriv' },
    store: { state: 'ok' },
    caller: { id: 'default', rights: ['read', 'run', 'admin'] },
  }
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(data) })
  assert.deepEqual(fake.calls, [['status']])
})
