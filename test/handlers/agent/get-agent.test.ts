import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentJson } from '../../../handlers/agent/get-agent.ts'
import { CALLER, createFake, FACTS, STATUS, signed, succeeded } from '../fake-services.ts'

test('the agent tells its version, its slots, whether guardian and store are as they should be, and its host', async () => {
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
    store: { state: 'ok', bytes: 4096 },
    fleet: null,
    host: FACTS.host,
    disk: { freeBytes: 2 ** 30, totalBytes: 2 ** 34 },
    defaultLimits: { cpus: 1.5 },
    maxLimits: { cpus: 2, memory: 7 },
    caller: { id: 'default', rights: ['read', 'run', 'admin'], users: ['deploy', 'app'], bounds: {} },
  }
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(data) })
  assert.deepEqual(fake.calls, [['facts'], ['status']])
})

test('who may run nothing is not told as whom others may', async () => {
  const fake = createFake({ status: { runAs: ['deploy'] }, rights: ['read'] })
  const { body } = await fake.ask(signed('/api/agent'))
  assert.deepEqual((body as { data: { caller: unknown } }).data.caller, {
    id: 'default',
    rights: ['read'],
    users: [],
    bounds: {},
  })
})

test('what could not be looked at is null', async () => {
  const fake = createFake({ facts: { disk: null, storeBytes: null }, status: { store: { state: 'gone' } } })
  const { body } = await fake.ask(signed('/api/agent'))
  const { disk, store } = (body as { data: Record<string, unknown> }).data
  assert.deepEqual([disk, store], [null, { state: 'gone', bytes: null }])
})

test('the caller is told what its key is held to', async () => {
  const bounds = { commands: ['date'], cwd: ['/srv'], timeoutMs: 60_000, running: 2, users: ['app'] }
  const caller = { ...CALLER, bounds }
  const fake = createFake({ authenticator: { authenticate: () => ({ caller, callerNow: () => caller }) } })
  const { body } = await fake.ask(signed('/api/agent'))
  const { users: _, ...told } = bounds
  assert.deepEqual((body as { data: AgentJson }).data.caller.bounds, told)
})
