import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeRuns, encodeRuns } from '../../../../lib/store/sqlite/output-runs.ts'

const anyRun = fc.record({
  stream: fc.constantFrom('stdout' as const, 'stderr' as const),
  length: fc.nat(1 << 16),
  later: fc.oneof(fc.nat(300), fc.maxSafeNat()),
})

test('any runs are decoded as they were encoded', () => {
  fc.assert(
    fc.property(fc.nat(1e15), fc.array(anyRun, { maxLength: 300 }), (start, given) => {
      let time = start
      const runs = given.map(({ stream, length, later }) => {
        time += later % 1e12 // Eleven days.
        return { stream, length, time }
      })
      assert.deepEqual(decodeRuns(encodeRuns(runs, start), start), runs)
    }),
  )
})

test('a short run soon after the one before takes two bytes', () => {
  assert.deepEqual([...encodeRuns([{ stream: 'stderr', length: 3, time: 1e15 + 100 }], 1e15)], [7, 100])
})

test('no runs take no bytes, and bytes that break off do not go on for ever', () => {
  assert.equal(encodeRuns([], 5).length, 0)
  assert.deepEqual(decodeRuns(new Uint8Array(0), 5), [])
  decodeRuns(Uint8Array.of(0x80), 5)
})
