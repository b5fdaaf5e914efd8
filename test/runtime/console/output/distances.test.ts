import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distanceOfKey, distanceOfWheel } from '../../../../runtime/console/output/distances.ts'

const EXTENT = { count: 1000, viewport: 400, rowHeight: 20 }

test('the wheel is told in pixels, in lines or in pages, and goes to the side with Shift', () => {
  const distance = (deltaMode: number, shiftKey = false) =>
    distanceOfWheel({ deltaY: 3, deltaMode, shiftKey }, EXTENT)
  assert.deepEqual([distance(0), distance(1), distance(2), distance(0, true)], [3, 60, 1200, 0])
})

test('arrows go by a row, pages leave one row in view, and other keys do not move', () => {
  const distance = (key: string, more: { shiftKey?: boolean; ctrlKey?: boolean } = {}) =>
    distanceOfKey({ key, shiftKey: false, ctrlKey: false, ...more }, EXTENT)
  assert.deepEqual(
    [distance('ArrowDown'), distance('ArrowUp'), distance('PageDown'), distance('PageUp')],
    [20, -20, 380, -380],
  )
  assert.deepEqual([distance(' '), distance(' ', { shiftKey: true })], [380, -380])
  assert.deepEqual([distance('f'), distance('ArrowDown', { ctrlKey: true })], [0, 0])
})
