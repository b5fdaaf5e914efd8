import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAge, formatBytes, formatDuration, printable } from '../../../runtime/cli/format.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

test('durations, ages and sizes are short', () => {
  const durations: [number, string][] = [
    [-5, '0ms'],
    [0, '0ms'],
    [999, '999ms'],
    [1000, '1.0s'],
    [59_999, '59.9s'],
    [MINUTE, '1m'],
    [3 * MINUTE + 12_900, '3m12s'],
    [HOUR - 1, '59m59s'],
    [2 * HOUR + 5 * MINUTE, '2h5m'],
    [3 * DAY + 4 * HOUR, '3d4h'],
  ]
  for (const [ms, text] of durations) assert.equal(formatDuration(ms), text)
  const ages: [number, string][] = [
    [-1, 'now'],
    [1500, '1s ago'],
    [MINUTE, '1m ago'],
    [25 * HOUR, '1d ago'],
    [HOUR, '1h ago'],
  ]
  for (const [ms, text] of ages) assert.equal(formatAge(ms), text)
  const sizes: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KB'],
    [1.5 * 1024 ** 2, '1.5 MB'],
    [200 * 1024, '200 KB'],
    [1024 ** 6, '1048576 TB'],
  ]
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text)
})

test('what others have written does nothing to a terminal', () => {
  assert.equal(printable('a\n\t\u001b[31m\u0007\u009b1m'), 'a\\n\\t\\e[31m\\x07\\x9b1m')
  assert.equal(printable('right \u202e left \u2066x'), 'right \\u202e left \\u2066x')
  assert.equal(printable('中文 émoji 🙂'), '中文 émoji 🙂')
})
