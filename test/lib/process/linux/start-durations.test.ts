import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStartDurations } from '../../../../lib/process/linux/start-durations.ts'

test('starts are long when they have been long lately, not for the sake of a single one', () => {
  const times = createStartDurations(2)
  assert.equal(times.areLong(), false)
  times.add(10)
  assert.equal(times.areLong(), false)
  for (let n = 0; n < 8; n++) times.add(10)
  assert.equal(times.areLong(), true)
  times.add(0.2)
  assert.equal(times.areLong(), true)
  for (let n = 0; n < 20; n++) times.add(0.2)
  assert.equal(times.areLong(), false)
})

test('one that has taken very long is enough', () => {
  const times = createStartDurations(2)
  times.add(500)
  assert.equal(times.areLong(), true)
})

test('long is more than two milliseconds on average', () => {
  for (const [ms, isLong] of [
    [15, false],
    [17, true],
  ] as const) {
    const durations = createStartDurations()
    durations.add(ms)
    assert.equal(durations.areLong(), isLong)
  }
})
