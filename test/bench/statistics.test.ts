import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correctOmission, median, percentile } from './statistics.ts'

test('a percentile lies between the nearest values', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.equal(percentile([1, 2, 3, 4, 5], 100), 5)
  assert.equal(percentile([10, 20], 99), 19.9)
  assert.equal(median([]), Number.NaN)
})

test('a client that waited ten times as long as usual has left out what it would have asked meanwhile', () => {
  // Ten answers in 20 ms: one every 2 ms.
  const times = [...Array<number>(9).fill(1), 11]
  assert.deepEqual(
    correctOmission(times, 20, 1).toSorted((a, b) => a - b),
    [...Array<number>(9).fill(1), 3, 5, 7, 9, 11],
  )
  assert.deepEqual(correctOmission([1, 1, 1, 1], 4, 1), [1, 1, 1, 1])
})
