import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { aheadBy } from '../../../runtime/console/agent-clock.ts'

const answer = fc.record({
  ahead: fc.integer({ min: -1e9, max: 1e9 }),
  sent: fc.integer({ min: 1e12, max: 2e12 }),
  there: fc.nat({ max: 5000 }),
  back: fc.nat({ max: 5000 }),
})
/** As an agent writes it, whose clock is ahead by so much. */
const dated = ({
  ahead,
  sent,
  there,
  back,
}: {
  ahead: number
  sent: number
  there: number
  back: number
}) => ({
  date: Math.floor((sent + there + ahead) / 1000) * 1000,
  sent,
  received: sent + there + back,
})

test('the difference of two clocks is found, as exactly as an answer tells it', () => {
  fc.assert(
    fc.property(answer, fc.integer({ min: -1e9, max: 1e9 }), (given, known) => {
      const found = aheadBy(dated(given), known)
      assert.ok(Math.abs(found - given.ahead) <= 1000 + given.there + given.back)
    }),
  )
})

test('clocks that go alike are taken for the same, and what is known stays while it can be true', () => {
  fc.assert(
    fc.property(answer, given => {
      assert.equal(aheadBy(dated({ ...given, ahead: 0 }), 12_345), 0)
      const isFar = Math.abs(given.ahead) > 20_000
      if (isFar) assert.equal(aheadBy(dated(given), given.ahead), given.ahead)
    }),
  )
})
