import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  DEFAULT_PARAMETERS,
  MOST_LIMIT,
  MOST_TRIES,
  parametersText,
  parseParameters,
} from '../../../../lib/fleet/queue/parameters.ts'

const parameters = fc.record(
  {
    once: fc.boolean(),
    tries: fc.integer({ min: 1, max: MOST_TRIES }),
    limit: fc.option(fc.integer({ min: 1, max: MOST_LIMIT })),
  },
  { noNullPrototype: true },
)

test('what is written is read again', () => {
  fc.assert(fc.property(parameters, one => assert.deepEqual(parseParameters(parametersText(one)), one)))
  assert.equal(parametersText(DEFAULT_PARAMETERS), '')
  assert.deepEqual(parseParameters('once=true&tries=5&limit=2'), { once: true, tries: 5, limit: 2 })
})

test('whatever a query is, it is either understood within its limits or not at all', () => {
  const texts = [
    fc.string(),
    fc
      .array(fc.constantFrom('once', 'tries', 'limit', '=', '&', 'true', '1', '0', '99', '1e3', ' ', '%31'))
      .map(parts => parts.join('')),
  ]
  fc.assert(
    fc.property(fc.oneof(...texts), text => {
      const parsed = parseParameters(text)
      if (!parsed) return
      assert.ok(parsed.tries >= 1 && parsed.tries <= MOST_TRIES)
      assert.ok(parsed.limit === null || (parsed.limit >= 1 && parsed.limit <= MOST_LIMIT))
      assert.deepEqual(parseParameters(parametersText(parsed)), parsed)
    }),
  )
})

test('what means two things, or nothing, is refused', () => {
  const wrong = [
    'once',
    'once=',
    'once=yes',
    'once=true&once=true',
    'tries=0',
    'tries=21',
    'tries=03',
    'tries=1.5',
  ]
  wrong.push(
    'limit=0',
    'limit=101',
    'limit=-1',
    'other=1',
    'once=true&',
    '&once=true',
    'tries=%33',
    'ONCE=true',
  )
  for (const query of wrong) assert.equal(parseParameters(query), undefined, query)
})
