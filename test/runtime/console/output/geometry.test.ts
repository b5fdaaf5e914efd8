import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Anchor,
  anchorAt,
  type Extent,
  type Layout,
  layOut,
  moveBy,
  rangeAround,
  scrollHeight,
} from '../../../../runtime/console/output/geometry.ts'

const layOutAt = (anchor: Anchor, extent: Extent, heightOf: (row: number) => number): Layout => {
  const range = rangeAround(anchor, extent)
  const heights = Array.from({ length: range.end - range.first }, (_, index) => heightOf(range.first + index))
  return layOut(anchor, range, heights, extent)
}

/** As the page does it: whether all rows are laid out is known from the last time. */
const scrollTo = (fraction: number, extent: Extent, heightOf: (row: number) => number): Layout => {
  const first = layOutAt(anchorAt(fraction, extent, undefined), extent, heightOf)
  return first.whole ? layOutAt(anchorAt(fraction, extent, first.whole), extent, heightOf) : first
}

const bottomOf = ({ top, first, end }: Layout, heightOf: (row: number) => number): number => {
  let bottom = top
  for (let row = first; row < end; row++) bottom += heightOf(row)
  return bottom
}

const extents = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 16_000_000 })),
  viewport: fc.integer({ min: 1, max: 2000 }),
  rowHeight: fc.integer({ min: 10, max: 40 }),
})
/** Heights that look random, the same for each row whenever it is asked for. */
const heights = fc.record({ seed: fc.nat(1000), most: fc.constantFrom(1, 1, 3, 40) })
const heightFunction =
  ({ rowHeight }: Extent, { seed, most }: { seed: number; most: number }) =>
  (row: number): number =>
    rowHeight * (1 + ((Math.imul(row + seed, 2654435761) >>> 8) % most))
const fractions = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))

const close = (actual: number, expected: number, label: string) =>
  assert.ok(Math.abs(actual - expected) < 0.01, `${label}: ${actual}, not ${expected}`)

test('wherever one scrolls, the rows fill the viewport, or start at its top when they are fewer', () => {
  fc.assert(
    fc.property(extents, heights, fractions, (extent, shape, fraction) => {
      const heightOf = heightFunction(extent, shape)
      const layout = scrollTo(fraction, extent, heightOf)
      assert.ok(layout.top <= 0)
      const isLess = layout.whole !== undefined && layout.whole.height < extent.viewport
      if (isLess) assert.equal(layout.top, 0)
      else assert.ok(bottomOf(layout, heightOf) > extent.viewport - 0.01)
      assert.ok(layout.end - layout.first < (4 * extent.viewport) / extent.rowHeight + 8)
    }),
    { numRuns: 2000 },
  )
})

test('at 0 the first row is at the top, at 1 the last one ends at the bottom', () => {
  fc.assert(
    fc.property(extents, heights, (extent, shape) => {
      const heightOf = heightFunction(extent, shape)
      const start = scrollTo(0, extent, heightOf)
      assert.deepEqual([start.first, start.top, start.fraction], [0, 0, 0])
      const end = scrollTo(1, extent, heightOf)
      assert.equal(end.end, extent.count)
      if (end.whole && end.whole.height <= extent.viewport) return
      close(bottomOf(end, heightOf), extent.viewport, 'bottom')
      close(end.fraction, 1, 'fraction')
    }),
    { numRuns: 2000 },
  )
})

test('each row is in the viewport at its own fraction', () => {
  fc.assert(
    fc.property(
      extents,
      heights,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (extent, shape, part) => {
        const heightOf = heightFunction(extent, shape)
        const row = Math.floor(part * extent.count)
        const layout = scrollTo((row + 0.5) / extent.count, extent, heightOf)
        if (layout.whole) return
        const top = bottomOf({ ...layout, end: row }, heightOf)
        assert.ok(top < extent.viewport && top + heightOf(row) > 0, `${top}`)
      },
    ),
    { numRuns: 2000 },
  )
})

test('rows of one height move with the scroll bar pixel by pixel, as long as no limit is met', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 700_000 }),
      fc.integer({ min: 100, max: 1500 }),
      fractions,
      (count, viewport, fraction) => {
        const extent = { count, viewport, rowHeight: 20 }
        const layout = scrollTo(fraction, extent, () => 20)
        const scrollTop = fraction * (scrollHeight(extent, layout.whole) - viewport)
        if (count * 20 > viewport) close(layout.first * 20 - layout.top, scrollTop, 'scrolled')
      },
    ),
  )
})

test('the anchor of a layout gives the same layout again', () => {
  fc.assert(
    fc.property(
      extents,
      heights,
      fractions,
      fc.integer({ min: -3000, max: 3000 }),
      (extent, shape, fraction, px) => {
        const heightOf = heightFunction(extent, shape)
        const layout = layOutAt(
          moveBy(scrollTo(fraction, extent, heightOf).anchor, px, extent),
          extent,
          heightOf,
        )
        const again = layOutAt(layout.anchor, extent, heightOf)
        close(topOf(again, layout.first, heightOf), layout.top, 'top')
        close(again.fraction, layout.fraction, 'fraction')
        assert.ok(layout.fraction >= 0 && layout.fraction <= 1)
        const atFraction = layOutAt(anchorAt(layout.fraction, extent, layout.whole), extent, heightOf)
        close(topOf(atFraction, layout.first, heightOf), layout.top, 'top at that fraction')
      },
    ),
    { numRuns: 2000 },
  )
})

test('a move is by real pixels, but not past the ends', () => {
  fc.assert(
    fc.property(
      extents,
      heights,
      fractions,
      fc.integer({ min: -500, max: 500 }),
      (extent, shape, fraction, px) => {
        const heightOf = heightFunction(extent, shape)
        const before = scrollTo(fraction, extent, heightOf)
        const after = layOutAt(moveBy(before.anchor, px, extent), extent, heightOf)
        const isAtEnd =
          (after.first === 0 && after.top > -0.01) ||
          (after.end === extent.count && bottomOf(after, heightOf) < extent.viewport + 0.01)
        if (isAtEnd || Math.abs(before.anchor.y - px) > 3 * extent.viewport) return
        close(topOf(after, before.first, heightOf), before.top - px, 'top')
      },
    ),
    { numRuns: 2000 },
  )
})

test('however far one wants to go past an end, the rows fill the viewport', () => {
  fc.assert(
    fc.property(
      extents,
      heights,
      fc.boolean(),
      fc.integer({ min: -5000, max: 5000 }),
      (extent, shape, isEnd, y) => {
        const heightOf = heightFunction(extent, shape)
        const layout = layOutAt({ row: isEnd ? extent.count : 0, y }, extent, heightOf)
        assert.ok(layout.top <= 0)
        if (layout.whole && layout.whole.height < extent.viewport) return
        assert.ok(bottomOf(layout, heightOf) > extent.viewport - 0.01)
      },
    ),
    { numRuns: 2000 },
  )
})

test('by small moves one comes from the first of millions of rows to the last, past each row', () => {
  const extent = { count: 16_000_000, viewport: 800, rowHeight: 20 }
  assert.equal(scrollHeight(extent, undefined), 15_000_000)
  let layout = scrollTo(0.5, extent, () => 20)
  for (let step = 0; step < 100; step++) {
    const next = layOutAt(moveBy(layout.anchor, 20, extent), extent, () => 20)
    close(
      topOf(next, layout.first, () => 20),
      layout.top - 20,
      `step ${step}`,
    )
    layout = next
  }
})

/** Where the top of a row is, or would be if it were laid out. */
const topOf = ({ top, first }: Layout, row: number, heightOf: (row: number) => number): number => {
  let y = top
  for (let at = first; at < row; at++) y += heightOf(at)
  for (let at = first - 1; at >= row; at--) y -= heightOf(at)
  return y
}
