import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countDown } from '../../../lib/base/count-down.ts'

test('says what is left, and never less than nothing', () => {
  let time = 1000
  const left = countDown(500, () => time)
  const seen = [1000, 1200, 1500, 9000].map(now => {
    time = now
    return left()
  })
  assert.deepEqual(seen, [500, 300, 0, 0])
})
