/**
 * Only the rows that are seen are in the page, and how high a wrapped one is, is known only when it is there. So
 * scrolling goes by the fraction f of its way: the point f × count of the rows stands at f × viewport, the first row
 * at the top for 0 and the last one at the bottom for 1. The rows around that point are laid out from it.
 */
export interface Anchor {
  /** 2.5 is the middle of the third row. */
  row: number
  /** Pixels from the top of the viewport to that point. */
  y: number
}

export interface Extent {
  count: number
  viewport: number
  rowHeight: number
}

/** All rows, when they are so few that all of them are laid out: then scrolling goes by their own height. */
export type Whole = { height: number } | undefined

export interface Range {
  first: number
  end: number
}

export interface Layout extends Range {
  /** From the top of the viewport to the top of the first row. */
  top: number
  /** The same place as the anchor that was asked for, where the fraction of scrolling has it. */
  anchor: Anchor
  fraction: number
  whole: Whole
  /** Whether the end of the last row is seen. */
  isAtEnd: boolean
}

/** How high the scrolled element is: browsers have a limit. */
export const scrollHeight = ({ count, rowHeight }: Extent, whole: Whole): number =>
  whole ? whole.height : Math.min(count * rowHeight, MOST_PX)

export const anchorAt = (fraction: number, { count, viewport }: Extent, whole: Whole): Anchor =>
  whole
    ? { row: 0, y: 0 - fraction * Math.max(0, whole.height - viewport) }
    : { row: fraction * count, y: fraction * viewport }

/** The place after the rows have moved up by so many pixels. */
export const moveBy = ({ row, y }: Anchor, px: number, { count, viewport, rowHeight }: Extent): Anchor => {
  const moved = y - px
  if (Math.abs(moved) <= 3 * viewport) return { row, y: moved }
  return { row: Math.min(count, Math.max(0, row - moved / rowHeight)), y: 0 }
}

/** The rows that surely fill the viewport, each being at least one row high; also when the end of all is within it. */
export const rangeAround = ({ row, y }: Anchor, extent: Extent): Range => {
  const { count, viewport, rowHeight } = extent
  if (areFew(extent)) return { first: 0, end: count }
  const rowsIn = (px: number) => Math.ceil(Math.max(0, px) / rowHeight) + 1
  const isTopNear = row <= rowsIn(y)
  const isBottomNear = count - row <= rowsIn(viewport - y)
  const above = rowsIn(isBottomNear ? Math.max(y, viewport) : y)
  const below = rowsIn(isTopNear ? Math.max(viewport - y, viewport) : viewport - y)
  return {
    first: Math.max(0, Math.floor(row) - above),
    end: Math.min(count, Math.ceil(row) + below),
  }
}

/** Lays out the rows of a range, whose heights are known now. No room is left below the last or above the first. */
export const layOut = (anchor: Anchor, range: Range, heights: number[], extent: Extent): Layout => {
  const { count, viewport } = extent
  const height = heights.reduce((sum, value) => sum + value, 0)
  let top = anchor.y - heightBefore(anchor.row - range.first, heights)
  if (range.end === count && top + height < viewport) top = viewport - height
  if (range.first === 0 && top > 0) top = 0
  const isAtEnd = range.end === count && top + height < viewport + 1
  if (areFew(extent)) {
    const way = height - viewport
    const fraction = way > 0 ? Math.min(1, (0 - top) / way) : 0
    return { ...range, top, anchor: { row: 0, y: top }, fraction, whole: { height }, isAtEnd }
  }
  const row = canonicalRow(top, range, heights, extent)
  const fraction = row / count
  return { ...range, top, anchor: { row, y: fraction * viewport }, fraction, whole: undefined, isAtEnd }
}

/** It must not depend on where one is: there would be two ways to scroll to the same place. */
const areFew = ({ count, viewport, rowHeight }: Extent): boolean => count * rowHeight <= 2 * viewport

/** Of a number of rows that may end within one. */
const heightBefore = (rows: number, heights: number[]): number => {
  let height = 0
  for (let index = 0; index < heights.length && index < rows; index++) {
    height += heights[index]! * Math.min(1, rows - index)
  }
  return height
}

/** The point of the rows that stands where its own fraction has it. There is one: the rows are higher than the viewport. */
const canonicalRow = (
  top: number,
  { first }: Range,
  heights: number[],
  { count, viewport }: Extent,
): number => {
  let y = top
  for (let index = 0; index < heights.length; index++) {
    const tooHigh = y - ((first + index) / count) * viewport
    y += heights[index]!
    const tooLow = y - ((first + index + 1) / count) * viewport
    if (tooLow >= 0) return first + index + Math.min(1, Math.max(0, -tooHigh / (tooLow - tooHigh) || 0))
  }
  return first + heights.length
}

/** Chromium's limit is 33,554,428, Firefox's 17,895,697. */
const MOST_PX = 15_000_000
