import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../../lib/base/nearest.ts'

test('the nearest known word is the one with the fewest edits, if they are few', () => {
  const known = ['wait', 'output', 'follow']
  for (const [word, meant] of [
    ['wiat', 'wait'],
    ['Wait', 'wait'],
    ['folow', 'follow'],
    ['outptu', 'output'],
    ['fol', 'follow'],
    ['OUTP', 'output'],
    ['fo', undefined],
    ['x', undefined],
    ['something', undefined],
  ]) {
    assert.equal(nearest(word!, known), meant === undefined ? undefined : meant, word)
  }
  assert.equal(nearest('out', ['output', 'outputLimit']), undefined)
  assert.equal(nearest('wait', []), undefined)
})
