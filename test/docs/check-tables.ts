import { columnsOf } from './columns-of.ts'
import type { Page } from './parse-page.ts'

export const MOST_COLUMNS = 100

/** The tables that are wider than a terminal, each by its widest line. */
export const checkTables = (page: Page): string[] =>
  page.tables.flatMap(table => {
    const [widest] = table
      .map(({ line, text }) => ({ line, text, columns: columnsOf(text) }))
      .sort((one, other) => other.columns - one.columns)
    if (widest === undefined || widest.columns <= MOST_COLUMNS) return []
    const { line, text, columns } = widest
    return [`${page.path}:${line}: a table has ${columns} columns, more than ${MOST_COLUMNS}: ${cut(text)}`]
  })

const cut = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)
