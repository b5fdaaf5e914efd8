import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import fc from 'fast-check'
import { formatTimestamp, ZERO_TIME } from '../../../lib/base/timestamp.ts'

const original = process.env.TZ
afterEach(() => {
  if (original === undefined) delete process.env.TZ
  else process.env.TZ = original
})

const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/St_Johns',
  'America/New_York',
  'Europe/Berlin',
  'Europe/London',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
]

/** The zone of a process never changes but here, so what is known of the last second is to be forgotten. */
const enterZone = (zone: string): void => {
  process.env.TZ = zone
  formatTimestamp(0)
  formatTimestamp(1e6)
}

const anyMicros = fc.integer({ min: Date.UTC(1950, 0) * 1000, max: Date.UTC(2250, 0) * 1000 })

/** What the ICU library says of a moment in a zone, put together as Go's time.RFC3339Nano does. */
const model = (micros: number, timeZone: string): string => {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  })
  const parts = format.formatToParts(Math.floor(micros / 1000))
  const part = (type: string) => parts.find(one => one.type === type)!.value
  const offset = part('timeZoneName')
    .replace(/^GMT/, '')
    .replace(/^(\+00:00)?$/, 'Z')
  const fraction = (((BigInt(micros) % 1_000_000n) + 1_000_000n) % 1_000_000n).toString().padStart(6, '0')
  let end = 6
  while (end > 0 && fraction[end - 1] === '0') end--
  const decimals = end === 0 ? '' : `.${fraction.slice(0, end)}`
  const date = `${part('year')}-${part('month')}-${part('day')}`
  return `${date}T${part('hour')}:${part('minute')}:${part('second')}${decimals}${offset}`
}

for (const zone of ZONES) {
  test(`in ${zone} every moment reads as ICU has it`, () => {
    enterZone(zone)
    fc.assert(
      fc.property(anyMicros, micros => {
        assert.equal(formatTimestamp(micros), model(micros, zone))
      }),
    )
  })
}

test('a timestamp names the very moment, in every zone', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), anyMicros, (zone, micros) => {
      enterZone(zone)
      assert.equal(Date.parse(formatTimestamp(micros)), Math.floor(micros / 1000))
    }),
  )
})

const MOMENT = Date.UTC(2022, 11, 16, 6, 6, 14) * 1000

test('the offset is that of the zone, and Z where it is zero', () => {
  const expected = {
    UTC: '2022-12-16T06:06:14Z',
    'Europe/London': '2022-12-16T06:06:14Z',
    'Asia/Shanghai': '2022-12-16T14:06:14+08:00',
    'Asia/Kolkata': '2022-12-16T11:36:14+05:30',
    'America/St_Johns': '2022-12-16T02:36:14-03:30',
    'Pacific/Pago_Pago': '2022-12-15T19:06:14-11:00',
  }
  for (const [zone, text] of Object.entries(expected)) {
    enterZone(zone)
    assert.equal(formatTimestamp(MOMENT), text)
  }
})

test('trailing zeros of the fraction go, and with the last of them the point', () => {
  enterZone('UTC')
  const fractions: [number, string][] = [
    [0, ''],
    [1, '.000001'],
    [10, '.00001'],
    [100_000, '.1'],
    [123_400, '.1234'],
    [123_456, '.123456'],
    [999_999, '.999999'],
  ]
  for (const [micros, fraction] of fractions) {
    assert.equal(formatTimestamp(MOMENT + micros), `2022-12-16T06:06:14${fraction}Z`)
  }
})

test('the hour that comes twice in autumn is told apart by its offset', () => {
  enterZone('Europe/Berlin')
  assert.equal(formatTimestamp(Date.UTC(2026, 9, 25, 0, 30) * 1000), '2026-10-25T02:30:00+02:00')
  assert.equal(formatTimestamp(Date.UTC(2026, 9, 25, 1, 30) * 1000), '2026-10-25T02:30:00+01:00')
  process.env.TZ = 'Australia/Lord_Howe' // Moves its clocks by half an hour.
  assert.equal(formatTimestamp(Date.UTC(2026, 6, 1) * 1000), '2026-07-01T10:30:00+10:30')
  assert.equal(formatTimestamp(Date.UTC(2026, 0, 1) * 1000), '2026-01-01T11:00:00+11:00')
})

test('a process that is started with a TZ of its own uses it', () => {
  const module = join(import.meta.dirname, '../../../lib/base/timestamp.ts')
  const program = `import { formatTimestamp } from ${JSON.stringify(module)}
    process.stdout.write(formatTimestamp(${MOMENT + 500_000}))`
  const printed = (TZ: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, TZ },
      encoding: 'utf8',
    })
  assert.equal(printed('Asia/Kolkata'), '2022-12-16T11:36:14.5+05:30')
  assert.equal(printed('America/St_Johns'), '2022-12-16T02:36:14.5-03:30')
})

test("what has not come is Go's zero time", () => {
  assert.equal(ZERO_TIME, '0001-01-01T00:00:00Z')
})

test('moments of one second have what they have in common, and a fraction of their own', () => {
  enterZone('Asia/Kolkata')
  const texts = [0, 250_000, 1, 999_999, 1_000_000, 0].map(micros => formatTimestamp(MOMENT + micros))
  assert.deepEqual(texts, [
    '2022-12-16T11:36:14+05:30',
    '2022-12-16T11:36:14.25+05:30',
    '2022-12-16T11:36:14.000001+05:30',
    '2022-12-16T11:36:14.999999+05:30',
    '2022-12-16T11:36:15+05:30',
    '2022-12-16T11:36:14+05:30',
  ])
})
