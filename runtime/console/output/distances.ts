import type { Extent } from './geometry.ts'

/** How far a turn of the wheel goes, in pixels; browsers tell it in pixels, lines or pages. */
export const distanceOfWheel = (
  { deltaY, deltaMode, shiftKey }: Pick<WheelEvent, 'deltaY' | 'deltaMode' | 'shiftKey'>,
  { viewport, rowHeight }: Extent,
): number => {
  if (shiftKey) return 0 // To the side.
  return deltaY * ([1, rowHeight, viewport][deltaMode] ?? 1)
}

/** How far a key goes; 0 for one that does not move. */
export const distanceOfKey = (
  { key, shiftKey, ctrlKey }: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey'>,
  { viewport, rowHeight }: Extent,
): number => {
  if (ctrlKey) return 0
  const page = Math.max(rowHeight, viewport - rowHeight)
  switch (key) {
    case 'ArrowDown':
      return rowHeight
    case 'ArrowUp':
      return -rowHeight
    case 'PageDown':
      return page
    case 'PageUp':
      return -page
    case ' ':
      return shiftKey ? -page : page
    default:
      return 0
  }
}
