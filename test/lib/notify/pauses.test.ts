import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callbackPause, LEAST_TRIES, TRIED_MS } from '../../../lib/notify/pauses.ts'

test('pauses grow from a second to hours, and stay there', () => {
  const pauses = Array.from({ length: 20 }, (_, index) => callbackPause(index + 1, 0.5))
  assert.equal(pauses[0], 1000)
  for (const [index, pause] of pauses.entries()) if (index > 0) assert.ok(pause >= pauses[index - 1]!)
  assert.equal(pauses.at(-1), 3 * 3_600_000)
})

test('pauses are a quarter shorter or longer by chance', () => {
  assert.deepEqual([callbackPause(4, 0), callbackPause(4, 1)], [90_000, 150_000])
})

test('within a day there are more than ten tries, and fewer than twenty', () => {
  let tries = 1
  for (let at = 0; at < TRIED_MS; tries++) at += callbackPause(tries, 0.5)
  assert.ok(tries > 10 && tries < 20, `${tries} tries`)
})

test('so many tries as there are in any case take most of a day, whatever a clock says', () => {
  let took = 0
  for (let tries = 1; tries < LEAST_TRIES; tries++) took += callbackPause(tries, 0.5)
  assert.ok(took > 18 * 3_600_000 && took < TRIED_MS, `${took} ms`)
})
