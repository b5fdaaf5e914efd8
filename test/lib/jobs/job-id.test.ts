import assert from 'node:assert/strict'
import { test } from 'node:test'
import { version } from 'uuid'
import { createJobIds } from '../../../lib/jobs/job-id.ts'

const newJobId = createJobIds()

test('ids are UUIDs of version 7, of now, without dashes, each its own, and sort as they were made', () => {
  const before = Date.now()
  const ids = Array.from({ length: 20_000 }, newJobId)
  const after = Date.now()
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(ids.toSorted(), ids)
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.equal(version(id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')), 7)
    const millis = Number.parseInt(id.slice(0, 12), 16)
    assert.ok(millis >= before && millis <= after)
  }
})

test('a clock that is set back does not turn the order round', t => {
  const first = newJobId()
  t.mock.timers.enable({ apis: ['Date'], now: 1000 })
  const second = newJobId()
  assert.ok(second > first)
})

test('what is random in ids differs', () => {
  const tails = Array.from({ length: 1000 }, () => newJobId().slice(-12))
  assert.equal(new Set(tails).size, 1000)
})
