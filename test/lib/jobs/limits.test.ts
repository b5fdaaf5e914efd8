import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../lib/base/errors.ts'
import { NO_LIMITS } from '../../../lib/jobs/job.ts'
import {
  assertSupported,
  effectiveLimits,
  isInRange,
  LIMIT_RANGES,
  limitText,
  parseLimit,
  parseLimits,
} from '../../../lib/jobs/limits.ts'
import { LIMIT_NAMES, type Limits } from '../../../lib/process/types.ts'
import { fakeSupport } from '../../support/fake-processes.ts'

const MB = 1024 ** 2
const errorOf = (action: () => unknown): unknown => {
  try {
    return action()
  } catch (error) {
    assert.ok(error instanceof AgentError)
    return [error.code, error.details]
  }
}

test('limits are read from a text, with spaces around each part or without', () => {
  assert.deepEqual(parseLimits('memory=512mb,cpus=1.5,processes=200'), {
    memory: 512 * MB,
    cpus: 1.5,
    processes: 200,
  })
  assert.deepEqual(parseLimits(' fileSize = 1 , nice=0 , openFiles=16, ioWeight=10000 '), {
    fileSize: 1,
    nice: 0,
    openFiles: 16,
    ioWeight: 10_000,
  })
})

test('what is no limit is refused, with what is wrong', () => {
  for (const [text, message] of [
    ['', /^must be such as memory=512mb/],
    ['memory', /^must be such as/],
    ['memory=1gb,', /^must be such as/],
    ['Memory=1gb', /^must be such as/],
    ['toString=1', /^must be such as/],
    ['cpus=1,cpus=1', /^has cpus twice$/],
    ['cpus=', /^cpus must be a number from 0\.01 to 1024$/],
    ['cpus=1e2', /^cpus must be/],
    ['cpus=0x1', /^cpus must be/],
    ['cpus=-1', /^cpus must be/],
    ['processes=1.5', /^processes must be a whole number from 1 to 4194304$/],
    ['openFiles=15', /^openFiles must be a whole number from 16 to 1048576$/],
    ['memory=4194303', /^memory must be a size from 4mb to 1024tb$/],
    ['fileSize=0', /^fileSize must be a size from 1b to 1024tb$/],
    ['nice=20', /^nice must be/],
  ] as const)
    assert.throws(() => parseLimits(text), { message }, text)
  assert.throws(() => parseLimits('nice=1', ['cpus']), { message: /the names are cpus$/ })
})

test('each limit may be what its range says, and its text is read as the same again', () => {
  for (const name of LIMIT_NAMES) {
    const { least, most } = LIMIT_RANGES[name]
    for (const value of [least, most]) assert.equal(parseLimit(name, limitText(name, value)), value)
    for (const value of [least - 0.001, most + 1, Number.NaN, Number.POSITIVE_INFINITY])
      assert.ok(!isInRange(name, value), `${name} ${value}`)
  }
  assert.ok(isInRange('cpus', 1.5) && !isInRange('processes', 1.5))
})

const anyLimits: fc.Arbitrary<Limits> = fc.record(
  Object.fromEntries(LIMIT_NAMES.map(name => [name, fc.integer({ min: 1, max: 9 })])),
  { requiredKeys: [] },
)

test('a job gets what it asks for, else the default, else the most; never more than the most', () => {
  fc.assert(
    fc.property(anyLimits, anyLimits, anyLimits, (asked, defaults, most) => {
      const tooHigh = LIMIT_NAMES.find(name => {
        const value = asked[name] ?? defaults[name] ?? most[name] ?? 0
        return value > (most[name] ?? value)
      })
      const got = errorOf(() => effectiveLimits(asked, { defaults, most }))
      if (tooHigh !== undefined) {
        const told = { field: `limits.${tooHigh}`, most: limitText(tooHigh, most[tooHigh]!) }
        return assert.deepEqual(got, ['limit-too-high', told])
      }
      assert.deepEqual({ ...most, ...defaults, ...asked }, got)
    }),
  )
})

test('a job without limits, on an agent without any, has the very object that costs nothing', () => {
  const none = { defaults: NO_LIMITS, most: NO_LIMITS }
  assert.equal(effectiveLimits(undefined, none), NO_LIMITS)
  assert.equal(effectiveLimits({}, none), NO_LIMITS)
})

test('a limit that the machine cannot keep is refused by its name; where there is none, nobody is asked', () => {
  const { limitSupport } = fakeSupport([], {}, { cpus: 'the cpu controller' })
  assert.deepEqual(
    errorOf(() => assertSupported({ memory: 1, cpus: 1 }, limitSupport)),
    ['limit-unsupported', { field: 'limits.cpus', missing: 'the cpu controller' }],
  )
  assertSupported({ memory: 1 }, limitSupport)
  assertSupported(NO_LIMITS, () => assert.fail('it is asked'))
})
