import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createByteRing } from '../../../lib/output/byte-ring.ts'

type Action =
  | { push: Uint8Array }
  | { drop: number }
  | { view: [offset: number, count: number] }
  | { clear: true }

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  // Around the size of the first buffer and that of the next.
  fc
    .tuple(fc.integer({ min: 1000, max: 9000 }), fc.nat(255))
    .map(([length, seed]) => Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff)),
)
const fraction = fc.double({ min: 0, max: 1, noNaN: true })

/** Offsets and counts are fractions of what is there. */
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: bytes }) },
  { weight: 3, arbitrary: fc.record({ drop: fc.double({ min: 0, max: 1.2, noNaN: true }) }) },
  { weight: 4, arbitrary: fc.record({ view: fc.tuple(fraction, fraction) }) },
  { weight: 1, arbitrary: fc.constant({ clear: true } as const) },
)

test('a ring holds what a plain list of bytes would hold, through any pushes, drops, copies and clears', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), actions => {
      const ring = createByteRing()
      let model = Buffer.alloc(0)
      for (const one of actions) {
        if ('push' in one) {
          ring.push(one.push)
          model = Buffer.concat([model, one.push])
        } else if ('drop' in one) {
          const count = Math.floor(one.drop * model.length)
          ring.drop(count)
          model = model.subarray(count)
        } else if ('view' in one) {
          const offset = Math.floor(one.view[0] * model.length)
          const count = Math.floor(one.view[1] * (model.length - offset))
          const viewed = Buffer.from(ring.view(offset, count))
          assert.ok(viewed.equals(model.subarray(offset, offset + count)))
        } else {
          ring.clear()
          model = Buffer.alloc(0)
        }
        assert.equal(ring.length(), model.length)
        assert.ok(Buffer.from(ring.view(0, model.length)).equals(model))
      }
    }),
    { numRuns: 300 },
  )
})

test('a view of bytes that lie around the end of the memory is in one piece all the same', () => {
  const ring = createByteRing()
  ring.push(Buffer.alloc(4000))
  ring.drop(3999)
  ring.push(Buffer.alloc(200, 'ab'))
  assert.equal(Buffer.from(ring.view(1, 200)).toString(), 'ab'.repeat(100))
  assert.equal(Buffer.from(ring.view(90, 10)).toString(), 'ba'.repeat(5))
  assert.equal(ring.view(201, 0).length, 0)
})

test('the bytes that are pushed are copied: whoever pushed them may use their memory again', () => {
  const ring = createByteRing()
  const given = Buffer.from('mine')
  ring.push(given)
  given.fill(0)
  assert.equal(Buffer.from(ring.view(0, 4)).toString(), 'mine')
})

test('a window that moves over far more bytes than it holds stays right', () => {
  const ring = createByteRing()
  const piece = Buffer.alloc(777)
  let written = 0
  for (let turn = 0; turn < 200; turn++) {
    for (let index = 0; index < piece.length; index++) piece[index] = (written + index) % 251
    ring.push(piece)
    written += piece.length
    if (ring.length() > 5000) ring.drop(ring.length() - 5000)
  }
  const kept = ring.view(0, 5000)
  assert.ok(kept.every((byte, index) => byte === (written - 5000 + index) % 251))
})
