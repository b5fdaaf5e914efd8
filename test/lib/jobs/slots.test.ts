import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSlots } from '../../../lib/jobs/slots.ts'

test('no more slots are taken than there are', () => {
  const slots = createSlots(2)
  assert.ok(slots.take())
  assert.ok(slots.take())
  assert.equal(slots.take(), undefined)
  assert.equal(slots.used(), 2)
})

test('a slot that is given back can be taken again', () => {
  const slots = createSlots(1)
  slots.take()!()
  assert.equal(slots.used(), 0)
  assert.ok(slots.take())
})

test('a slot that is given back twice counts once', () => {
  const slots = createSlots(2)
  const release = slots.take()!
  slots.take()
  release()
  release()
  assert.equal(slots.used(), 1)
})

test('whatever is taken and given back, and however often, the count is true', () => {
  const action = fc.oneof(fc.constant('take' as const), fc.nat(20))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(action, { maxLength: 60 }), (limit, actions) => {
      const slots = createSlots(limit)
      const releases: (() => void)[] = []
      const held = new Set<number>()
      for (const one of actions) {
        if (one === 'take') {
          const release = slots.take()
          assert.equal(release !== undefined, held.size < limit)
          if (release) held.add(releases.push(release) - 1)
        } else if (one < releases.length) {
          releases[one]!() // Perhaps for the second time.
          held.delete(one)
        }
        assert.equal(slots.used(), held.size)
      }
    }),
  )
})
