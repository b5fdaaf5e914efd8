import type { Cell, Column, Goal, Outcome } from './row.ts'

/** A row of the benchmark, a line a contestant; the title shares the line of the headings. */
export const formatOutcome = (
  number: number,
  title: string,
  { results, columns, goals }: Outcome,
): string => {
  const names = [...results.figures.keys()]
  const labels = alignLeft([`${number}  ${title}`, ...names.map(name => `   ${name}`)])
  const cells = columns.map(column =>
    alignRight([column.title, ...names.map(name => formatCell(column.of(name), column))]),
  )
  const lines = labels.map((label, line) => [label, ...cells.map(texts => texts[line])].join('  '))
  const last = goals.length === 0 ? [] : [`   goals  ${goals.map(formatGoal).join('; ')}`]
  return `${[...lines, ...last].join('\n')}\n`
}

export const formatFailure = (number: number, title: string, reason: string): string =>
  `${number}  ${title}\n   FAILED: ${reason}\n`

const formatCell = (cell: Cell, { digits }: Column): string => {
  if (cell === undefined) return '–'
  return [cell]
    .flat()
    .map(value => value.toFixed(digits))
    .join('–')
}

const formatGoal = ({ text, value, reached }: Goal): string => {
  if (value === undefined) return `${text}: not measured`
  return `${text}: ${reached ? 'reached' : 'missed'} (${Number(value.toPrecision(3))})`
}

const alignLeft = (texts: string[]): string[] => texts.map(text => text.padEnd(widthOf(texts)))

const alignRight = (texts: string[]): string[] => texts.map(text => text.padStart(widthOf(texts)))

const widthOf = (texts: string[]): number => Math.max(...texts.map(text => text.length))
