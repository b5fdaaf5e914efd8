import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createPace, type Pace } from '../../../handlers/http/pace.ts'

/** Makes so many pieces, one after another, as fast as it may. */
const makePieces = async (pace: Pace, pieces: number, onPiece: () => void): Promise<void> => {
  for (let left = pieces; left > 0; left--) {
    await pace()
    onPiece()
  }
}

test('who is alone makes several pieces in a turn of the loop, and then lets others have it', async () => {
  const pace = createPace()
  await pace()
  let pieces = 0
  const all = makePieces(pace, 100, () => {
    pieces++
  })
  await setImmediate()
  assert.ok(pieces > 1 && pieces < 100, `${pieces} pieces in a turn`)
  await all
})

test('many make one piece a turn together, in the order of asking', async () => {
  const pace = createPace()
  const order: number[] = []
  const all = Array.from({ length: 5 }, (_, who) => makePieces(pace, 3, () => order.push(who)))
  for (let turns = 0; order.length < 15; turns++) {
    const before = order.length
    await setImmediate()
    // Both the check of this test and the turn of the pace are immediates.
    assert.ok(order.length - before <= 2, `${order.length - before} pieces in a turn`)
    assert.ok(turns < 100)
  }
  await Promise.all(all)
  assert.deepEqual(order, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
})
