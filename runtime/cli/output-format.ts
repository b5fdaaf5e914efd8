import { Option } from 'commander'
import type { Cli } from './cli.ts'
import { type Column, renderTable } from './table.ts'

export type OutputFormat = 'table' | 'json' | 'jsonl'

export const outputOption = (description = 'how to print it'): Option =>
  new Option('-o, --output <format>', description)
    .choices(['table', 'json', 'jsonl'] satisfies OutputFormat[])
    .default('table')

/** For people a table, for programs one JSON array, or a line of JSON for each. */
export const printRows = <Row>(
  { out }: Cli,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  format: OutputFormat,
): Promise<void> => {
  if (format === 'json') return out.write(`${JSON.stringify(rows, null, 2)}\n`)
  if (format === 'jsonl') return out.write(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
  return out.write(renderTable(rows, columns, out))
}
