import type { ComponentChildren } from 'preact'
import { marksIn } from './marks.ts'
import { outputRow } from './row.ts'
import type { ShownRow } from './shown-rows.ts'
import type { View } from './view.ts'

/**
 * Keeps the rows of the last drawing. Preact passes over one that is the very same, so that it costs nothing to draw
 * it again somewhere else.
 */
export const createRowCache = (view: View) => {
  let last = new Map<number, { state: string; row: ComponentChildren }>()
  let next: typeof last = new Map()
  return {
    draw(row: ShownRow): ComponentChildren {
      const marks = row.type === 'gap' ? undefined : marksIn(view, row)
      const state = stateOf(view, row, marks?.positions, marks?.current)
      const known = last.get(row.row)
      const drawn =
        known?.state === state && state !== CHANGING ? known : { state, row: outputRow(view, row, marks) }
      next.set(row.row, drawn)
      return drawn.row
    },
    /** All rows of a drawing have been asked for. */
    end(): void {
      last = next
      next = new Map()
    },
  }
}

/** All that makes a difference; a row that may still grow is never the same. */
const stateOf = (view: View, row: ShownRow, positions: number[] = [], current?: number): string => {
  if (row.type !== 'gap' && row.index === view.output.rows[row.type].starts.length - 1) return CHANGING
  return [view.hasTimes.value, view.hasNumbers.value, current, ...positions].join()
}

const CHANGING = ''
