import { signal } from '@preact/signals'
import type { Output } from './output.ts'
import type { Shown } from './shown-rows.ts'
import { createViewSearch } from './view-search.ts'

/** How an output is looked at. A page that has keys for it makes one, and hands it to OutputView. */
export const createView = (output: Output) => {
  const shown = signal<Shown>('both')
  const isFollowing = signal(true)
  const search = createViewSearch(output, shown)
  /** The row to be brought into view; an object of its own each time. */
  const target = signal<{ row: number } | undefined>(undefined)
  const followed = signal(0)
  let topRow = 0

  const go = (direction: 'next' | 'previous') => {
    const hit = search.go(direction, topRow)
    if (hit) target.value = { row: hit.row }
  }

  return {
    output,
    shown,
    isWrapped: signal(false),
    hasTimes: signal(false),
    hasNumbers: signal(false),
    /** True while the end stays in view. */
    isFollowing,
    search,
    target,
    /** Another number each time that one asks to follow: the rows come into view then. */
    followed,
    follow(): void {
      isFollowing.value = true
      followed.value++
    },
    nextHit: () => go('next'),
    previousHit: () => go('previous'),
    /** The first row that is seen, from which one looks for hits. */
    onTopRow(row: number): void {
      topRow = row
    },
  }
}

export type View = ReturnType<typeof createView>
