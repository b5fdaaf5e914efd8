import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBodyBudget } from '../../../handlers/http/body-budget.ts'

const REFUSED = { code: 'too-many-bodies' }

test('a caller may have four times as much as is left for the others', async () => {
  const budget = createBodyBudget({ bytes: 100, waitMs: 0 })
  await budget.reserve('a', 80)
  await assert.rejects(budget.reserve('a', 1), REFUSED)
  await budget.reserve('b', 16)
  await assert.rejects(budget.reserve('b', 1), REFUSED)
  await budget.reserve('c', 3)
})

test('what is given back can be had again, by whoever waits for it', async () => {
  const budget = createBodyBudget({ bytes: 100, waitMs: 60_000 })
  const first = await budget.reserve('a', 50)
  const waiting = [budget.reserve('a', 40), budget.reserve('b', 45)]
  first[Symbol.dispose]()
  for (const one of await Promise.all(waiting)) one[Symbol.dispose]()
  await budget.reserve('c', 80)
})

test('what never fits is refused', async () => {
  const budget = createBodyBudget({ bytes: 100, waitMs: 0 })
  await assert.rejects(budget.reserve('a', 101), REFUSED)
  await budget.reserve('a', 80)
})
