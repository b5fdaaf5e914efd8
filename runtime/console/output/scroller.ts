import { signal } from '@preact/signals'
import { distanceOfKey, distanceOfWheel } from './distances.ts'
import {
  type Anchor,
  anchorAt,
  type Extent,
  type Layout,
  layOut,
  moveBy,
  type Range,
  rangeAround,
  scrollHeight,
} from './geometry.ts'
import type { View } from './view.ts'

/** The elements of the list: what scrolls, in it what gives it its height, and in that the rows that are seen. */
export interface ScrollElements {
  scroller: HTMLElement
  spacer: HTMLElement
  layer: HTMLElement
  rows: HTMLElement
}

/**
 * Where the rows are. Each time they are drawn, `rangeOf` tells which, and `settle` puts them in their place, once
 * they are in the page.
 */
export const createScroller = ({ isFollowing, isWrapped }: View) => {
  let elements: ScrollElements | undefined
  let anchor: Anchor = { row: 0, y: 0 }
  let extent: Extent = { count: 0, viewport: 0, rowHeight: ROW_HEIGHT }
  let range: Range = { first: 0, end: 0 }
  let heights: number[] = []
  let layout: Layout | undefined
  let scrollTop = 0
  let isMoved = false
  let isHitWanted = false
  let widest = 0
  /** Another number when the rows are to be drawn anew. */
  const version = signal(0)

  const moveTo = (to: Anchor, isUp: boolean) => {
    anchor = to
    isMoved = true
    if (isUp) isFollowing.value = false
    version.value++
  }

  const way = (): number => Math.max(0, scrollHeight(extent, layout?.whole) - extent.viewport)

  /** A pixel of the scroll bar is then not one of the rows. */
  const isScaled = (): boolean =>
    isWrapped.peek() || extent.count * ROW_HEIGHT > scrollHeight(extent, undefined)

  const canMove = (px: number): boolean =>
    layout !== undefined && (px < 0 ? layout.first > 0 || layout.top < 0 : !layout.isAtEnd)

  const topOf = (row: number): number =>
    (layout?.top ?? 0) + heights.slice(0, row - range.first).reduce((sum, height) => sum + height, 0)

  const measure = ({ rows }: ScrollElements): number[] =>
    isWrapped.peek()
      ? Array.from(rows.children, row => row.getBoundingClientRect().height)
      : new Array<number>(range.end - range.first).fill(ROW_HEIGHT)

  /** The width never shrinks while one scrolls, so that the place to the left and right stays. */
  const widen = ({ spacer, rows }: ScrollElements) => {
    widest = isWrapped.peek() ? 0 : Math.max(widest, rows.scrollWidth)
    spacer.style.minWidth = `${widest}px`
  }

  return {
    version,
    /** The elements are there; the result lets them go. */
    attach(attached: ScrollElements): () => void {
      elements = attached
      attached.scroller.style.setProperty('--row-height', `${ROW_HEIGHT}px`)
      const observer = new ResizeObserver(() => void version.value++)
      observer.observe(attached.scroller)
      return () => {
        observer.disconnect()
        elements = undefined
      }
    },
    rangeOf(count: number): Range {
      extent = { ...extent, count, viewport: elements?.scroller.clientHeight ?? 0 }
      if (isFollowing.peek()) anchor = { row: count, y: extent.viewport }
      if (anchor.row > count) anchor = { row: count, y: anchor.y }
      range = rangeAround(anchor, extent)
      return range
    },
    settle(): Layout | undefined {
      if (!elements) return
      const { scroller, spacer, layer, rows } = elements
      heights = measure(elements)
      layout = layOut(anchor, range, heights, extent)
      anchor = layout.anchor
      layer.style.height = `${extent.viewport}px`
      rows.style.transform = `translateY(${Math.round(layout.top)}px)`
      spacer.style.height = `${scrollHeight(extent, layout.whole)}px`
      widen(elements)
      const wanted = layout.fraction * way()
      if (Math.abs(scroller.scrollTop - wanted) > 1) scroller.scrollTop = wanted
      scrollTop = scroller.scrollTop
      if (isMoved) isFollowing.value = layout.isAtEnd
      isMoved = false
      if (isHitWanted) bringHitIntoView(scroller)
      isHitWanted = false
      return layout
    },
    /** Other rows are shown now; `convert` tells where one of the old ones is. The first that was seen stays first. */
    convert(convert: (row: number) => number): void {
      let row = range.first
      let y = layout?.top ?? 0
      for (; y < 0 && row < range.end; row++) y += heights[row - range.first]!
      anchor = { row: convert(row), y }
      widest = 0
    },
    /** With the hit in it, if there is one. */
    show(row: number): void {
      isFollowing.value = false
      isHitWanted = true
      const top = topOf(row)
      const isSeen = row >= range.first && row < range.end && top >= 0 && top + ROW_HEIGHT <= extent.viewport
      if (!isSeen) moveTo({ row, y: Math.round(extent.viewport / 3) }, true)
      version.value++
    },
    onScroll(): void {
      const top = elements?.scroller.scrollTop ?? 0
      if (Math.abs(top - scrollTop) < 1) return // Our own, or to the side.
      const isUp = top < scrollTop
      scrollTop = top
      const fraction = top >= way() - 1 ? 1 : top / way()
      moveTo(anchorAt(fraction, extent, layout?.whole), isUp)
    },
    onWheel(event: WheelEvent): void {
      const px = distanceOfWheel(event, extent)
      if (event.ctrlKey || px === 0 || !canMove(px)) return
      if (!isScaled()) {
        if (px < 0) isFollowing.value = false
        return
      }
      event.preventDefault()
      moveTo(moveBy(anchor, px, extent), px < 0)
    },
    onKeyDown(event: KeyboardEvent): void {
      if (event.altKey || event.metaKey || event.target !== event.currentTarget) return
      if (event.key === 'Home') moveTo({ row: 0, y: 0 }, true)
      else if (event.key === 'End') moveTo({ row: extent.count, y: extent.viewport }, false)
      else {
        const px = distanceOfKey(event, extent)
        if (px === 0) return
        if (canMove(px)) moveTo(moveBy(anchor, px, extent), px < 0)
      }
      event.preventDefault()
    },
  }
}

const bringHitIntoView = (scroller: HTMLElement): void => {
  const hit = scroller.querySelector('mark.current')?.getBoundingClientRect()
  if (!hit) return
  const { left, right } = scroller.getBoundingClientRect()
  if (hit.left < left || hit.right > right) scroller.scrollLeft += hit.left - (left + right) / 2
}

export type Scroller = ReturnType<typeof createScroller>

/** Pixels. */
const ROW_HEIGHT = 20
