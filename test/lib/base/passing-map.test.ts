import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPassingMap } from '../../../lib/base/passing-map.ts'

test('it holds what a Map would hold, in the order in which it came', () => {
  const key = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    fc.record({ set: key, value: fc.nat(9).map(n => ({ n })) }),
    fc.record({ remove: key }),
  )
  fc.assert(
    fc.property(fc.array(step), steps => {
      const [passing, plain] = [createPassingMap<string, { n: number }>(), new Map<string, { n: number }>()]
      for (const one of steps) {
        if ('set' in one) {
          passing.set(one.set, one.value)
          plain.set(one.set, one.value)
        } else assert.equal(passing.delete(one.remove), plain.delete(one.remove))
        assert.deepEqual(passing.keys(), [...plain.keys()])
        assert.deepEqual(passing.values(), [...plain.values()])
        assert.equal(passing.size(), plain.size)
        for (const n of [0, 5])
          assert.deepEqual(
            passing.find(held => held.n === n),
            [...plain.values()].find(held => held.n === n),
          )
        for (const name of ['a', 'b', 'c'])
          assert.deepEqual([passing.get(name), passing.has(name)], [plain.get(name), plain.has(name)])
      }
    }),
  )
})

test('what has gone is held by nothing that the map was made of', t => {
  const { mock } = t.mock.method(Map.prototype, 'set')
  const passing = createPassingMap<string, { n: number }>()
  passing.set('a', { n: 1 })
  const box = mock.calls.at(-1)?.arguments[1]
  mock.restore()
  assert.deepEqual(box, { held: { n: 1 } })
  passing.delete('a')
  assert.deepEqual(box, { held: undefined })
})
