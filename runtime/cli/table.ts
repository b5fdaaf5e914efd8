import { stripVTControlCharacters } from 'node:util'
import { printable } from './format.ts'
import type { Colour, Sink } from './sink.ts'

export interface Column<Row> {
  head: string
  text(row: Row): string
  colour?(row: Row): Colour | undefined
}

/** Lines with columns side by side; on a terminal none is longer than it is wide. */
export const renderTable = <Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sink: Sink,
): string => {
  const cells = rows.map(row => columns.map(({ text }) => printable(text(row))))
  const heads = columns.map(({ head }) => head)
  // Not by Math.max(...): so many arguments are more than a stack holds.
  const widths = heads.map((head, index) =>
    cells.reduce((width, line) => Math.max(width, line[index]!.length), head.length),
  )
  const line = (texts: string[], colourOf: (index: number) => Colour | undefined): string => {
    // The last column is as long as it is: nothing stands behind it.
    const padded = texts.map((text, index) => (index < texts.length - 1 ? text.padEnd(widths[index]!) : text))
    const shown = fitting(padded, sink.columns())
    return shown
      .map((text, index) => {
        const colour = colourOf(index)
        return colour === undefined ? text : sink.colour(colour, text)
      })
      .join('  ')
      .trimEnd()
  }
  const lines = [line(heads, () => 'bold')]
  for (const [index, row] of rows.entries()) {
    lines.push(line(cells[index]!, column => columns[column]!.colour?.(row)))
  }
  return `${lines.join('\n')}\n`
}

/** Cuts the last cell to what is left of the line. */
const fitting = (cells: string[], width: number | undefined): string[] => {
  if (width === undefined) return cells
  const before = cells.slice(0, -1)
  const used = before.reduce((sum, cell) => sum + stripVTControlCharacters(cell).length + 2, 0)
  const left = Math.max(10, width - used)
  const last = cells.at(-1)!
  return [...before, last.length > left ? `${last.slice(0, left - 1)}…` : last]
}
