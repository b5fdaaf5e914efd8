import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { durationText, LONGEST_TIMER_MS, parseDuration } from '../../../lib/base/duration.ts'

const UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const unit = fc.constantFrom(...Object.keys(UNITS))
const digits = fc.stringMatching(/^[0-9]{1,9}$/)
const gap = fc.constantFrom('', ' ')

test('a number with a unit is so many milliseconds', () => {
  fc.assert(
    fc.property(digits, fc.option(digits, { nil: undefined }), gap, unit, (whole, part, space, name) => {
      const number = part === undefined ? whole : `${whole}.${part}`
      const parsed = parseDuration(`${number}${space}${name}`)
      const expected = Number(number) * UNITS[name]!
      assert.ok(parsed !== undefined && Math.abs(parsed - expected) <= expected * 1e-12, `${parsed}`)
    }),
  )
})

test('the durations of the documentation mean what they say', () => {
  const known = { '30s': 30_000, '5m': 300_000, '1.5h': 5_400_000, '250ms': 250, '7d': 604_800_000, '0s': 0 }
  for (const [text, ms] of Object.entries(known)) assert.equal(parseDuration(text), ms, text)
})

test('milliseconds are written as what is read as the same again, as short as may be', () => {
  const known = { '90s': 90_000, '5m': 300_000, '36h': 129_600_000, '2d': 172_800_000, '1500ms': 1500 }
  for (const [text, ms] of Object.entries(known)) assert.equal(durationText(ms), text)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999 }), fc.constantFrom(1, 1000, 60_000), (n, size) => {
      const ms = Math.min(Math.ceil(n / size) * size, 999_999_000)
      return parseDuration(durationText(ms)) === ms
    }),
  )
})

test('what is no duration is refused', () => {
  const wrong = [
    '',
    'abc',
    '30',
    '-5m',
    '+5m',
    ' 5m',
    '5m ',
    '5m\n',
    '5  m',
    '5\tm',
    '5min',
    '5M',
    '1y',
    '1e3s',
  ]
  const more = [
    '.5s',
    '5.s',
    '1,5s',
    '0x5s',
    '٣s',
    '５s',
    'Infinitys',
    'NaNs',
    '1.5.5s',
    '5m5s',
    's',
    '1234567890s',
  ]
  for (const text of [...wrong, ...more]) assert.equal(parseDuration(text), undefined, JSON.stringify(text))
})

test('no text at all gives anything but a finite duration of zero or more, or undefined', () => {
  const almost = fc
    .array(fc.constantFrom('1', '0', '9', '.', '-', '+', ' ', 'm', 's', 'h', 'd', 'w', 'e', '\n'), {
      maxLength: 8,
    })
    .map(parts => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(almost, fc.string({ unit: 'binary' })), text => {
      const parsed = parseDuration(text)
      if (parsed === undefined) return
      assert.ok(Number.isFinite(parsed) && parsed >= 0)
      assert.ok('0123456789'.includes(text[0]!) && 'smhdw'.includes(text.at(-1)!))
      assert.doesNotMatch(text, /[-+e\n]/)
    }),
    { numRuns: 1000 },
  )
})

test('a timer can wait for the longest duration, and not for a millisecond more', async () => {
  const warnings: string[] = []
  const listen = (warning: Error) => void warnings.push(warning.name)
  process.on('warning', listen)
  clearTimeout(setTimeout(() => {}, LONGEST_TIMER_MS))
  await new Promise(setImmediate)
  assert.deepEqual(warnings, [])
  const warned = once(process, 'warning')
  clearTimeout(setTimeout(() => {}, LONGEST_TIMER_MS + 1))
  assert.equal((await warned)[0].name, 'TimeoutOverflowWarning')
  process.off('warning', listen)
})
