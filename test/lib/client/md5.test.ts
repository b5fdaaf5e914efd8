import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { md5 } from '../../../lib/client/md5.ts'

const expected = (text: string): string => createHash('md5').update(text).digest('hex')

test('md5 is the MD5 of the text in UTF-8', () => {
  for (const text of ['', 'a', 'abc', '签名', '🚀']) assert.equal(md5(text), expected(text))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => assert.equal(md5(text), expected(text))))
})

test('at every length around the end of a block', () => {
  for (let length = 0; length < 200; length++) {
    const text = 'x'.repeat(length)
    assert.equal(md5(text), expected(text))
  }
})
