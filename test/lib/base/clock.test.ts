import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createClock } from '../../../lib/base/clock.ts'

/** Two clocks that a test moves by hand, in milliseconds. */
const fakeTime = (wall = 1_671_170_774_000, monotonic = 5000) => {
  const time = { wall, monotonic }
  const clock = createClock(
    () => Math.floor(time.wall),
    () => time.monotonic,
  )
  return { time, clock }
}

const micros = (milliseconds: number): number => Math.round(milliseconds * 1000)

test('time passes in microseconds, although the wall clock has only milliseconds', () => {
  const { time, clock } = fakeTime()
  const first = clock.now()
  assert.equal(first, 1_671_170_774_000_000)
  time.wall += 0.25
  time.monotonic += 0.25
  assert.equal(clock.now(), first + 250)
})

test('the time is never further from the wall clock than it may be, however the two clocks drift', () => {
  const step = fc.record({
    passed: fc.double({ min: 0, max: 1e6, noNaN: true }),
    moved: fc.integer({ min: -1e9, max: 1e9 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const { time, clock } = fakeTime(1.6e12)
      for (const { passed, moved } of steps) {
        time.monotonic += passed
        time.wall += passed + moved
        const now = clock.now()
        assert.ok(Number.isInteger(now))
        assert.ok(Math.abs(now - micros(time.wall)) <= 6001, `${now} for ${time.wall}`)
      }
    }),
  )
})

test('a clock that was set is followed at once', () => {
  const { time, clock } = fakeTime()
  clock.now()
  time.wall -= 3_600_000
  assert.equal(clock.now(), micros(time.wall))
  time.wall += 86_400_000
  assert.equal(clock.now(), micros(time.wall))
})

test('a timer counts what has passed, whatever happens to the wall clock', () => {
  const step = fc.record({
    passed: fc.integer({ min: 0, max: 1e6 }),
    moved: fc.integer({ min: -1e9, max: 1e9 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const { time, clock } = fakeTime()
      const timer = clock.timer()
      let passed = 0
      for (const one of steps) {
        passed += one.passed
        time.monotonic += one.passed
        time.wall += one.passed + one.moved
        clock.now() // Follows the wall clock; the timer must not.
        assert.equal(timer.now(), timer.startedAt + micros(passed))
      }
    }),
  )
})

test('a timer starts at the time that it is', () => {
  const { clock } = fakeTime()
  const now = clock.now()
  const timer = clock.timer()
  assert.equal(timer.startedAt, now)
  assert.equal(timer.now(), now)
})

test("without clocks of its own it reads the system's", () => {
  const clock = createClock()
  const before = Date.now()
  const now = clock.now()
  const after = Date.now()
  assert.ok(now >= (before - 6) * 1000 && now <= (after + 6) * 1000, `${before} ${now} ${after}`)
  const timer = clock.timer()
  assert.ok(timer.now() >= timer.startedAt)
})
