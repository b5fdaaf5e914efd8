import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFairShare, fairAmountFor } from '../../../lib/base/fair-share.ts'

const create = (amount: number, times?: number) => {
  const share = createFairShare(amount, times)
  const take = (holder: string, size: number): boolean => {
    const isFree = share.hasRoom(holder, size)
    if (isFree) share.take(holder, size)
    return isFree
  }
  return { ...share, take }
}

test('one may have four times as much as is left for the others', () => {
  const share = create(100)
  for (let n = 0; n < 80; n++) assert.equal(share.take('a', 1), true)
  assert.equal(share.take('a', 1), false)
  assert.deepEqual([share.of('a'), share.left()], [80, 20])
  share.giveBack('a', 80)
  assert.deepEqual([share.of('a'), share.left()], [0, 100])
})

test('who has nothing yet may have whatever is left, and no more', () => {
  const share = create(100)
  assert.equal(share.take('a', 80), true)
  assert.equal(share.take('b', 21), false)
  assert.equal(share.take('b', 20), true)
  assert.equal(share.take('c', 1), false)
})

test('however one takes it, another who has nothing finds room for the largest', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.array(fc.nat({ max: 100 })), (largest, sizes) => {
      const share = create(fairAmountFor(largest))
      for (const size of sizes) share.take('a', 1 + (size % largest))
      assert.equal(share.take('b', largest), true)
    }),
  ))

test('however two take it, a third finds room for the largest, where each may have as much as is left', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat({ max: 100 }))),
      (largest, taken) => {
        const share = create(fairAmountFor(largest), 1)
        for (const [holder, size] of taken) share.take(holder, 1 + (size % largest))
        assert.equal(share.take('c', largest), true)
      },
    ),
  ))
