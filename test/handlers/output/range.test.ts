import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRange } from '../../../handlers/output/range.ts'

const UNSATISFIABLE = 'unsatisfiable'

test('a range has its first and its last byte in it', () => {
  assert.deepEqual(parseRange('bytes=0-0', 10), { start: 0, end: 1 })
  assert.deepEqual(parseRange('bytes=0-9', 10), { start: 0, end: 10 })
  assert.deepEqual(parseRange('bytes=9-9', 10), { start: 9, end: 10 })
  assert.deepEqual(parseRange('bytes=2-4', 10), { start: 2, end: 5 })
})

test('a range that goes on beyond the end ends there', () => {
  for (const header of ['bytes=8-', 'bytes=8-10', 'bytes=8-999999999999999']) {
    assert.deepEqual(parseRange(header, 10), { start: 8, end: 10 }, header)
  }
})

test('a suffix range is the last bytes, or all when there are fewer', () => {
  assert.deepEqual(parseRange('bytes=-1', 10), { start: 9, end: 10 })
  assert.deepEqual(parseRange('bytes=-10', 10), { start: 0, end: 10 })
  assert.deepEqual(parseRange('bytes=-11', 10), { start: 0, end: 10 })
})

test('a range that begins at the end or behind it, and a suffix of nothing, cannot be satisfied', () => {
  for (const header of ['bytes=10-', 'bytes=10-10', 'bytes=999999999999999-', 'bytes=-0', 'bytes=-000']) {
    assert.equal(parseRange(header, 10), UNSATISFIABLE, header)
  }
})

test('of nothing there is no range', () => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=1-5', 'bytes=-0']) {
    assert.equal(parseRange(header, 0), UNSATISFIABLE, header)
  }
})

test('the unit is written in any case, as RFC 9110 has it', () => {
  for (const unit of ['bytes', 'Bytes', 'BYTES']) {
    assert.deepEqual(parseRange(`${unit}=1-2`, 10), { start: 1, end: 3 })
  }
})

test('leading zeros change nothing', () => {
  assert.deepEqual(parseRange('bytes=0002-0004', 10), { start: 2, end: 5 })
})

test('no range, several ranges and other units are ignored', () => {
  for (const header of [null, '', 'bytes=0-1,4-5', 'bytes=0-1, 4-5', 'lines=0-1', 'items 0-1', 'byte=0-1']) {
    assert.equal(parseRange(header, 10), undefined, String(header))
  }
})

test('a malformed range is ignored', () => {
  const headers = [
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=--1',
    'bytes=1',
    'bytes=a-b',
    'bytes=1-b',
    'bytes=5-2',
  ]
  headers.push(
    'bytes=0-1;',
    'bytes=0x0-1',
    'bytes=1.5-2',
    'bytes=+1-2',
    'bytes=1e0-2',
    'bytes 0-1',
    'bytes:0-1',
  )
  headers.push('bytes=0-1-2', 'bytes=１-２', 'bytes=5-2,', 'xbytes=0-1', 'bytes=0-1\n\nx', 'bytes=12-11')
  for (const header of headers) assert.equal(parseRange(header, 10), undefined, header)
})

/** The offsets that are asked for, one by one (RFC 9110, 14.1.2). */
const offsetsOf = (size: number, isAskedFor: (offset: number) => boolean): number[] =>
  Array.from({ length: size }, (_, offset) => offset).filter(isAskedFor)

const assertGives = (header: string, size: number, offsets: number[]) => {
  const range = parseRange(header, size)
  assert.ok(range !== undefined, header)
  if (range === UNSATISFIABLE) assert.deepEqual(offsets, [])
  else
    assert.deepEqual(
      offsetsOf(size + 5, offset => offset >= range.start && offset < range.end),
      offsets,
    )
}

const SIZE = fc.nat(40)
const OFFSET = fc.oneof(fc.nat(45), fc.constantFrom(1e9, 999_999_999_999_999))

test('a range is exactly the offsets from the first to the last', () =>
  fc.assert(
    fc.property(SIZE, OFFSET, OFFSET, (size, first, length) => {
      const last = Math.min(first + length, 999_999_999_999_999)
      assertGives(
        `bytes=${first}-${last}`,
        size,
        offsetsOf(size, at => at >= first && at <= last),
      )
      assertGives(
        `bytes=${first}-`,
        size,
        offsetsOf(size, at => at >= first),
      )
    }),
  ))

test('a suffix range is exactly the last offsets', () =>
  fc.assert(
    fc.property(SIZE, OFFSET, (size, length) => {
      // All of nothing cannot be said in a Content-Range: the whole is given.
      if (size === 0 && length > 0) assert.equal(parseRange(`bytes=-${length}`, size), undefined)
      else {
        assertGives(
          `bytes=-${length}`,
          size,
          offsetsOf(size, at => at >= size - length),
        )
      }
    }),
  ))

test('any text is ignored, cannot be satisfied, or is a range within the size and not empty', () =>
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^bytes=[-0-9, ]*$/)),
      fc.oneof(SIZE, fc.maxSafeNat()),
      (header, size) => {
        const range = parseRange(header, size)
        if (range === undefined || range === UNSATISFIABLE) return
        assert.ok(0 <= range.start && range.start < range.end && range.end <= size, JSON.stringify(range))
      },
    ),
  ))
