import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ROOT } from '../support/agent.ts'
import { checkLinks } from './check-links.ts'
import { checkTables } from './check-tables.ts'
import { compareTwins, hasSameExamples } from './compare-twins.ts'
import { checkExamples, examplesOf } from './examples.ts'
import { findAllPages, findPages, hasNoTwin, isTwin, originalOf, twinOf } from './find-pages.ts'
import { createReader, type Page } from './parse-page.ts'
import { runPage } from './run-page.ts'

/** Other pages can be checked with the agent of this checkout. */
const PAGES = process.env.DOCS_ROOT ?? ROOT

/** Of all examples of a page, on a slow machine. */
const PAGE_DEADLINE_MS = 300_000

const read = createReader(PAGES)
const pages = findAllPages(PAGES).map(read)

/** Each fault names its place; that of this line would only hide it. */
const failWith = (faults: string[]): void => {
  if (faults.length === 0) return
  const error = new Error(`\n\n${faults.join('\n\n')}\n`)
  error.stack = error.message
  throw error
}

/** The examples of a twin that are those of its page are run with it. */
const isRunWithOriginal = ({ path }: Page): boolean =>
  isTwin(path) &&
  existsSync(join(PAGES, originalOf(path))) &&
  hasSameExamples(read(originalOf(path)), read(path))

const run = async (page: Page): Promise<string[]> => (isRunWithOriginal(page) ? [] : runPage(page))

/** Those that take longest begin first. */
const byLength = pages.toSorted((one, other) => examplesOf(other).length - examplesOf(one).length)

describe('the examples run and print what is shown', {
  concurrency: 2 * availableParallelism(),
  timeout: PAGE_DEADLINE_MS,
}, () => {
  for (const page of byLength) {
    test(page.path, { timeout: PAGE_DEADLINE_MS }, async () =>
      failWith([...checkExamples(page), ...(await run(page))]),
    )
  }
})

describe('links lead to what is there', () => {
  for (const page of pages) test(page.path, () => failWith(checkLinks(PAGES, page, read)))
})

describe('tables fit on a terminal', () => {
  for (const page of pages) test(page.path, () => failWith(checkTables(page)))
})

describe('both languages have the same facts', () => {
  for (const path of findPages(PAGES).filter(path => !hasNoTwin(path))) {
    test(path, () => {
      if (!existsSync(join(PAGES, twinOf(path)))) failWith([`${path}: there is no ${twinOf(path)}`])
      failWith(compareTwins(read(path), read(twinOf(path))))
    })
  }
})
