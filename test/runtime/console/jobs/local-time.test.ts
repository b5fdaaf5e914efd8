import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { localTime, timeOf } from '../../../../runtime/console/jobs/local-time.ts'

test('a local time becomes one that the agent takes, and is shown again as it was typed', () => {
  const typed = ['2026-01-31 12:00', '2026-07-31 12:00:05', '2024-02-29 00:00']
  for (const text of typed) {
    const time = timeOf(text)
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal(Date.parse(time), new Date(text.replace(' ', 'T')).getTime())
    assert.equal(localTime(time), text)
  }
  assert.equal(timeOf('2026-01-31'), timeOf('2026-01-31 00:00'))
  assert.equal(timeOf(' 2026-01-31T12:00 '), timeOf('2026-01-31 12:00'))
})

test('whatever else one types goes to the agent as it is', () => {
  for (const text of [
    '',
    '2h',
    'yesterday',
    '2026-02-30',
    '2026-13-01 12:00',
    '2026-01-31 25:00',
    '2026-01-31T12:00:00+08:00',
  ])
    assert.equal(timeOf(text), text)
  fc.assert(fc.property(fc.string(), text => timeOf(timeOf(text)) === timeOf(text)))
})

test('a time that is shown means the same when it is typed', () => {
  const seconds = fc.integer({ min: 0, max: 4e9 })
  fc.assert(
    fc.property(seconds, at => {
      const time = new Date(at * 1000).toISOString().replace('.000Z', 'Z')
      const back = timeOf(localTime(time))
      // An hour comes twice when the clocks are set back.
      assert.ok([0, 3600_000, -3600_000, 1800_000, -1800_000].includes(Date.parse(back) - Date.parse(time)))
    }),
  )
  assert.equal(localTime('2h'), '2h')
})
