import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createGuessBudget } from '../../../lib/security/guess-budget.ts'

test('within any time nobody guesses more often than what there is at first, and so many a second', () => {
  const steps = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 3000 }), tries: fc.nat({ max: 30 }) }))
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 10 }),
      (all, most, perSecond) => {
        let time = 0
        let spent = 0
        const budget = createGuessBudget({ most, perSecond, now: () => time })
        for (const { ms, tries } of all) {
          time += ms
          for (let n = 0; n < tries && budget.has('one'); n++) {
            budget.spend('one')
            spent++
          }
          assert.ok(spent <= most + (time / 1000) * perSecond + 1e-6)
        }
      },
    ),
  )
})

test('each name has a budget of its own', () => {
  const budget = createGuessBudget({ most: 1, perSecond: 1, now: () => 0 })
  budget.spend('one')
  assert.deepEqual([budget.has('one'), budget.has('another')], [false, true])
})

test('only who has guessed a moment ago is remembered', () => {
  let time = 0
  const budget = createGuessBudget({ most: 20, perSecond: 5, now: () => time })
  for (let n = 0; n < 1000; n++) budget.spend(`${n}`)
  assert.equal(budget.size(), 1000)
  time = 3999
  budget.spend('last')
  assert.equal(budget.has('0'), true)
  assert.equal(budget.size(), 1001)
  time = 4000
  assert.equal(budget.has('0'), true)
  assert.equal(budget.size(), 1)
})

test('no more names than allowed are remembered; those beyond share one budget', () => {
  let time = 0
  const budget = createGuessBudget({ most: 2, perSecond: 1, mostNames: 100, now: () => time })
  for (let n = 0; n < 5000; n++) budget.spend(`${n}`)
  assert.equal(budget.size(), 101)
  assert.deepEqual([budget.has('0'), budget.has('4999'), budget.has('new')], [true, false, false])
  time = 1000
  assert.equal(budget.has('new'), true)
  time = 2000
  assert.deepEqual([budget.has('new'), budget.size()], [true, 0])
})

test('a guess from each of very many networks takes nothing from others for longer than it takes to come back', () => {
  let time = 0
  const budget = createGuessBudget({ most: 20, perSecond: 5, mostNames: 100, now: () => time })
  for (let n = 0; n < 1000; n++) budget.spend(`${n}`)
  assert.equal(budget.has('another'), false)
  time = 200
  for (let n = 0; n < 20; n++) {
    assert.equal(budget.has('another'), true)
    budget.spend('another')
  }
  assert.equal(budget.has('another'), false)
})
