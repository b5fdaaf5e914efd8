import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { repeatedName } from '../../../lib/base/repeated-name.ts'

test('a name that an object has twice is found, however it is written and wherever it is', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1, "\\u0061" : 2}',
    '{"b":{"a":1},"c":[{"a":1,"b":"\\"","a":2}]}',
    '[[{"a":{"a":{}},"a":[]}]]',
  ])
    assert.equal(repeatedName(text), 'a', text)
  assert.equal(repeatedName('{"__proto__":1,"__proto__":2}'), '__proto__')
})

test('what only looks like one is none', () => {
  for (const text of [
    '{"a":{"a":1},"b":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"\\"a\\":","b":"a","c":["a","a"]}',
    '{"a":"{\\"a\\":1","b":"}"}',
    '"a"',
  ])
    assert.equal(repeatedName(text), undefined, text)
})

test('no text that JSON.stringify writes has one, whatever is in it', () => {
  fc.assert(fc.property(fc.json(), text => repeatedName(text) === undefined))
})

test('a name that is put into an object once more is found, whatever else is in it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), values => {
      const text = JSON.stringify(values)
      const [name = ''] = Object.keys(values)
      return repeatedName(`${text.slice(0, -1)},${JSON.stringify(name)}:0}`) === name
    }),
  )
})

test('a long string is no burden', () => {
  const long = JSON.stringify('\\"'.repeat(500_000) + 'x'.repeat(500_000))
  assert.equal(repeatedName(`{"a":${long},"b":${long}}`), undefined)
})
