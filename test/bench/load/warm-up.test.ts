import assert from 'node:assert/strict'
import { test } from 'node:test'
import { warmUp } from './warm-up.ts'

/** How many turns it takes when they cost so much. */
const turnsFor = async (costs: (number | undefined)[], seconds = 2): Promise<number> => {
  let turns = 0
  await warmUp(async () => {
    const cpuMicros = costs[turns++]
    return cpuMicros === undefined ? {} : { cpuMicros }
  }, seconds)
  return turns
}

test('a contestant is warm when two turns in a row cost hardly less than the least before', async () => {
  assert.equal(await turnsFor([1000, 700, 600, 590, 585, 100]), 5)
  assert.equal(await turnsFor([1000, 1200, 900, 910, 905, 100]), 5)
  assert.equal(await turnsFor([1000, 700, 900, 690, 100]), 4)
})

test('it is not warmed up for ever', async () => {
  assert.equal(await turnsFor(Array.from({ length: 20 }, (_, turn) => 1000 * 0.9 ** turn)), 8)
})

test('one turn is enough for what does not tell its processor time, and where rounds are short', async () => {
  assert.equal(await turnsFor([undefined, undefined]), 1)
  assert.equal(await turnsFor([1000, 700, 500], 0.3), 1)
})

test('a turn takes five seconds, or less where rounds are short', async () => {
  for (const [seconds, expected] of [
    [3, 5],
    [0.2, 0.5],
  ] as const) {
    const told: number[] = []
    await warmUp(async one => {
      told.push(one)
      return {}
    }, seconds)
    assert.deepEqual(told, [expected])
  }
})
