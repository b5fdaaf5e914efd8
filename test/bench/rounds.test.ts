import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createResults, runRounds } from './rounds.ts'

test('every round measures all, and begins with another one; each is warmed up once before', async () => {
  const order: string[] = []
  const contestants = ['a', 'b', 'c'].map(name => ({
    name,
    warmUp: async () => order.push(`warm ${name}`),
    measure: async () => ({ value: order.push(name) }),
  }))
  const { figures } = await runRounds(contestants, 4, () => {})
  assert.equal(order.join(' '), 'warm a warm b warm c a b c b c a c a b a b c')
  assert.deepEqual(figures.get('b'), [{ value: 5 }, { value: 7 }, { value: 12 }, { value: 14 }])
})

test('a ratio is the median of those of each round, not the ratio of the medians', () => {
  const results = createResults(
    new Map([
      ['a', [{ x: 10 }, { x: 200 }, { x: 30 }]],
      ['b', [{ x: 20 }, { x: 100 }, { x: 50 }]],
    ]),
  )
  assert.equal(results.median('a', 'x'), 30)
  assert.deepEqual(results.spread('a', 'x'), [10, 200])
  assert.equal(results.ratio('a', 'b', 'x'), 0.6)
  assert.equal(results.difference('a', 'b', 'x'), -10)
})

test('what was not measured has no figures', () => {
  const results = createResults(new Map([['a', [{ x: 1 }]]]))
  assert.equal(results.median('a', 'y'), undefined)
  assert.equal(results.spread('b', 'x'), undefined)
  assert.equal(results.ratio('a', 'b', 'x'), undefined)
})
