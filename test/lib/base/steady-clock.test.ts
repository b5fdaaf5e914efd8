import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSteadyClock } from '../../../lib/base/steady-clock.ts'

test('it runs on evenly however the wall clock is set, and tells wall time to be shown', () => {
  let wallMs = 1_000_000
  let passedMs = 5
  const clock = createSteadyClock(
    () => wallMs,
    () => passedMs,
  )
  passedMs += 2500
  assert.equal(clock.now(), 1_002_500)
  wallMs = 5_002_700
  assert.deepEqual([clock.now(), clock.toWall(1_002_500)], [1_002_500, 5_002_500])
  wallMs = 2_400
  assert.deepEqual([clock.now(), clock.toWall(1_002_600)], [1_002_500, 2_600])
})
