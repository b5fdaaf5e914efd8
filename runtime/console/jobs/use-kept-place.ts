import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/**
 * What one looks at stays in its place while rows come and go above it. Most browsers see to it themselves, but not
 * when the row that they go by is another element afterwards, as when its group is parted. Called while drawing, before
 * anything has changed.
 */
export const useKeptPlace = (table: RefObject<HTMLElement | null>): void => {
  // At the top one sees what is new.
  const seen = table.current && scrollY > 0 ? seenRows(table.current) : []
  useLayoutEffect(() => {
    if (seen.length === 0 || !table.current) return
    const rows = new Map(allRows(table.current).map(row => [row.dataset.id, row]))
    for (const { id, top, isRunning } of seen) {
      const row = rows.get(id)
      // One that has ended is elsewhere; those around it are where they were.
      if (!row || isRunningRow(row) !== isRunning) continue
      const moved = row.getBoundingClientRect().top - top
      if (Math.abs(moved) >= 1) scrollBy(0, moved)
      return
    }
  })
}

interface SeenRow {
  id: string | undefined
  top: number
  isRunning: boolean
}

/** Those in the window, from the top; groups out of it are passed over as one. */
const seenRows = (table: HTMLElement): SeenRow[] => {
  const seen: SeenRow[] = []
  for (const group of table.querySelectorAll(GROUPS)) {
    if (!isInWindow(group.getBoundingClientRect())) continue
    for (const row of group.querySelectorAll<HTMLElement>(ROWS)) {
      const place = row.getBoundingClientRect()
      if (isInWindow(place)) seen.push({ id: row.dataset.id, top: place.top, isRunning: isRunningRow(row) })
    }
  }
  return seen
}

const isInWindow = ({ top, bottom }: DOMRect): boolean => bottom > 0 && top < innerHeight

const allRows = (table: HTMLElement): HTMLElement[] => [...table.querySelectorAll<HTMLElement>(ROWS)]

const isRunningRow = (row: HTMLElement): boolean => row.dataset.state === 'running'

const GROUPS = '.jobs-group'
const ROWS = '.job[data-id]'
