import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBodyBudget } from '../../../handlers/http/body-budget.ts'
import { fairAmountFor } from '../../../lib/base/fair-share.ts'

const REFUSED = { code: 'too-many-bodies' }

test('a caller may have as much as is left for the others', async () => {
  const budget = createBodyBudget({ bytes: 100, waitMs: 0 })
  await budget.reserve('a', 50)
  await assert.rejects(budget.reserve('a', 1), REFUSED)
  await budget.reserve('b', 25)
  await assert.rejects(budget.reserve('b', 1), REFUSED)
  await budget.reserve('c', 25)
})

test('two callers who take all they may leave room for the largest body of a third', async () => {
  const LARGEST = 16 << 20
  for (const size of [20 << 10, LARGEST]) {
    const budget = createBodyBudget({ bytes: fairAmountFor(LARGEST), waitMs: 0 })
    for (let n = 0; n < 5; n++) await budget.reserve('a', LARGEST).catch(() => {})
    for (let n = 0; n < 5; n++) await budget.reserve('b', size).catch(() => {})
    await budget.reserve('c', LARGEST)
  }
})

test('what is given back can be had again, by whoever waits for it', async () => {
  const budget = createBodyBudget({ bytes: 100, waitMs: 60_000 })
  const first = await budget.reserve('a', 50)
  const waiting = [budget.reserve('a', 40), budget.reserve('b', 55)]
  first[Symbol.dispose]()
  for (const one of await Promise.all(waiting)) one[Symbol.dispose]()
  await budget.reserve('c', 80)
})

test('what never fits is refused', async () => {
  const budget = createBodyBudget({ bytes: 100, waitMs: 0 })
  await assert.rejects(budget.reserve('a', 101), REFUSED)
  await budget.reserve('a', 80)
})
