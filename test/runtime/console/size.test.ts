import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSize } from '../../../lib/base/size.ts'
import { exactSize, sizeText } from '../../../runtime/console/size.ts'

test('a size that is to be read has two or three digits, and its unit', () => {
  const sizes = [0, 1023, 1024, 1536, 10 * 1024, 1024 ** 2 * 1.44, 1024 ** 3 * 900, 1024 ** 4 * 5000]
  const texts = ['0 B', '1023 B', '1.0 KB', '1.5 KB', '10 KB', '1.4 MB', '900 GB', '5000 TB']
  assert.deepEqual(sizes.map(sizeText), texts)
})

test('an exact size is short, and the agent reads the same from it', () => {
  assert.deepEqual([0, 1000, 512 * 1024 ** 2, 1024 ** 4].map(exactSize), ['0b', '1000b', '512mb', '1tb'])
  fc.assert(fc.property(fc.nat(999_999_999_999), bytes => parseSize(exactSize(bytes)) === bytes))
})
