import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFake, STATUS, signed, succeeded } from '../fake-services.ts'

test('the agent tells its version, its slots, and whether guardian and store are as they should be', async () => {
  const { limits } = STATUS
  const fake = createFake({
    status: {
      limits: { ...limits, cpus: { missing: 'a cgroup' } },
      users: { missing: 'setpriv' },
      defaultLimits: { cpus: 1.5 },
      maxLimits: { cpus: 2, memory: 7 },
      runAs: ['deploy', 'app'],
    },
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
    defaultLimits: { cpus: 1.5 },
    maxLimits: { cpus: 2, memory: 7 },
    caller: { id: 'default', rights: ['read', 'run', 'admin'], users: ['deploy', 'app'] },
  }
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(data) })
  assert.deepEqual(fake.calls, [['status']])
})

test('who may run nothing is not told as whom others may', async () => {
  const fake = createFake({ status: { runAs: ['deploy'] }, rights: ['read'] })
  const { body } = await fake.ask(signed('/api/agent'))
  assert.deepEqual((body as { data: { caller: unknown } }).data.caller, {
    id: 'default',
    rights: ['read'],
    users: [],
  })
})
