import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationText } from '../../../runtime/console/time.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

test('a duration has two parts at most, and none that is nothing', () => {
  for (const [ms, text] of [
    [-5, '0.0 s'],
    [0, '0.0 s'],
    [0.2, '1 ms'],
    [99, '99 ms'],
    [100, '0.1 s'],
    [1_980, '1.9 s'],
    [10 * SECOND, '10 s'],
    [MINUTE - 1, '59 s'],
    [MINUTE, '1 min'],
    [MINUTE + SECOND, '1 min 1 s'],
    [HOUR - 1, '59 min 59 s'],
    [HOUR, '1 h'],
    [2 * HOUR + 5 * MINUTE + 59 * SECOND, '2 h 5 min'],
    [HOUR + 59 * SECOND, '1 h'],
    [DAY - 1, '23 h 59 min'],
    [DAY, '1 d'],
    [3 * DAY + 4 * HOUR + 59 * MINUTE, '3 d 4 h'],
    [1000 * DAY, '1000 d'],
  ] as const)
    assert.equal(durationText(ms), text, String(ms))
})

test('a duration that goes on never seems to jump: none is rounded up to what it has not reached', () => {
  for (let ms = 0; ms < 2 * MINUTE; ms += 7) assert.doesNotMatch(durationText(ms), /60/, String(ms))
  assert.equal(durationText(9_999), '9.9 s')
})
