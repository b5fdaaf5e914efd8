import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSize, sizeText } from '../../../lib/base/size.ts'

test('a size is a number with or without a unit, in powers of 1024', () => {
  for (const [text, expected] of [
    ['0', 0],
    ['100', 100],
    ['100b', 100],
    ['1kb', 1024],
    ['1 KB', 1024],
    ['1.5 kb', 1536],
    ['16mb', 16 << 20],
    ['2Gb', 2 * 1024 ** 3],
    ['1tb', 1024 ** 4],
    ['007', 7],
  ] as const)
    assert.equal(parseSize(text), expected, text)
})

test('the text of a size is read as that size again, in the largest unit that leaves nothing over', () => {
  for (const [size, text] of [
    [0, '0b'],
    [1000, '1000b'],
    [1536, '1536b'],
    [4 << 20, '4mb'],
    [1024 ** 5, '1024tb'],
  ] as const)
    assert.equal(sizeText(size), text)
  fc.assert(fc.property(fc.nat(999_999_999_999), size => parseSize(sizeText(size)) === size))
})

test('anything else is no size', () => {
  const wrong = [
    '',
    ' ',
    '-1',
    '+1',
    '1e3',
    '0x10',
    '1k',
    '1 m',
    '1kib',
    '1  kb',
    ' 1',
    '.5kb',
    '1.',
    '1,5kb',
  ]
  for (const text of [
    ...wrong,
    'kb',
    '1kb\n',
    '1kb2',
    '1pb',
    'NaN',
    'Infinity',
    '1'.repeat(13),
    '1.1234567mb',
    '١',
  ])
    assert.equal(parseSize(text), undefined, JSON.stringify(text))
})

test('every size is a whole number of bytes that a number holds exactly, or undefined', () => {
  const unit = fc.constantFrom('', 'b', 'kb', 'mb', 'gb', 'TB', ' mb')
  fc.assert(
    fc.property(fc.nat(999), fc.nat(999_999), unit, (whole, fraction, of) => {
      for (const text of [`${whole}${of}`, `${whole}.${fraction}${of}`]) {
        const size = parseSize(text)
        assert.ok(size !== undefined && Number.isSafeInteger(size) && size >= 0, `${text}: ${size}`)
      }
    }),
  )
})

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.string(), text => void parseSize(text)))
})
