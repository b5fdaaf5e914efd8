import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTimestamp } from '../../../lib/base/timestamp.ts'
import { createFake, HISTORY, signed, succeeded } from '../fake-services.ts'

test('the last hour is told as samples, with their time as all times are told', async () => {
  const fake = createFake({ rights: ['read'] })
  const { status, body } = await fake.ask(signed('/api/agent/history'))
  const samples = HISTORY.samples.map(sample => ({ ...sample, time: formatTimestamp(sample.time) }))
  assert.deepEqual([status, body], [200, succeeded({ everyMs: 15_000, samples })])
  assert.deepEqual(fake.calls, [['history']])
})
