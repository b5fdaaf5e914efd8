import type { Marks } from './segments.ts'
import type { ShownRow } from './shown-rows.ts'
import type { View } from './view.ts'

/** The hits in a row, and those that begin before it and reach into it; undefined when nothing is looked for. */
export const marksIn = (
  { output, search }: View,
  row: Exclude<ShownRow, { type: 'gap' }>,
): Marks | undefined => {
  const found = search.search.value
  if (!found) return undefined
  const { length } = found.query
  const [start, end] = output.rows[row.type].rangeOf(row.index)
  const current = search.current.value
  const isCurrent =
    current?.stream === row.type && current.position < end && current.position + length > start
  return {
    positions: found.hitsBetween(row.type, start - length + 1, end),
    length,
    current: isCurrent ? current.position : undefined,
  }
}
