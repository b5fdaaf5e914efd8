import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { splitPairs } from '../../../../runtime/console/run/split-pairs.ts'

test('lines as env prints them become pairs; a value may have anything in it but the end of a line', () => {
  assert.deepEqual(splitPairs('A=1\r\nB=x=y "z" # \n\nC=\n'), [
    { name: 'A', value: '1' },
    { name: 'B', value: 'x=y "z" # ' },
    { name: 'C', value: '' },
  ])
})

test('comments and the word export of a file of variables count for nothing', () => {
  assert.deepEqual(splitPairs('# production\n  export A=1\n'), [{ name: 'A', value: '1' }])
})

test('a text that has another line is none of pairs, nor is an empty one', () => {
  for (const text of ['', '\n', '# A=1', 'A', 'A=1\nB', '=1', 'two words=1'])
    assert.equal(splitPairs(text), undefined)
})

test('whatever pairs are written as lines come back', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/)
  const value = fc.string({ unit: 'binary' }).filter(text => !/[\r\n]/.test(text))
  fc.assert(
    fc.property(fc.array(fc.record({ name, value }, { noNullPrototype: true }), { minLength: 1 }), pairs => {
      assert.deepEqual(splitPairs(pairs.map(({ name, value }) => `${name}=${value}`).join('\n')), pairs)
    }),
  )
})
