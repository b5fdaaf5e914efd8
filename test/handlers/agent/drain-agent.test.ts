import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertBadRequest, createFake, FACTS, post, STATUS, signed, succeeded } from '../fake-services.ts'

const CALLER = { id: 'default', rights: ['read', 'run', 'admin'], users: [], bounds: {} }
const { runAs: _, ...TOLD } = STATUS
const { storeBytes: bytes, ...AROUND } = FACTS
const DATA = { ...TOLD, ...AROUND, store: { ...TOLD.store, bytes }, caller: CALLER }

test('a drain is begun, and answered with the status of the agent; it needs no body', async () => {
  for (const request of [signed('/api/agent/drain', { method: 'POST' }), post('/api/agent/drain', {})]) {
    const fake = createFake()
    const { status, body } = await fake.ask(request)
    assert.deepEqual({ status, body }, { status: 200, body: succeeded(DATA) })
    assert.deepEqual(fake.calls, [['drain'], ['facts'], ['status']])
  }
})

test('an unknown field is refused, and nothing is begun', async () => {
  const fake = createFake()
  await assertBadRequest(post('/api/agent/drain', { force: true }), '未知字段 force', fake)
})
