import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ROOT } from '../support/agent.ts'
import { checkLinks } from './check-links.ts'
import { checkTables } from './check-tables.ts'
import { compareTwins, hasSameExamples } from './compare-twins.ts'
import { checkExamples } from './examples.ts'
import { findAllPages, findPages, hasNoTwin, isTwin, originalOf, twinOf } from './find-pages.ts'
import { type Page, readPage } from './parse-page.ts'
import { runPage } from './run-page.ts'

/** Other pages can be checked with the agent of this checkout. */
const PAGES = process.env.DOCS_ROOT ?? ROOT

const paths = findAllPages(PAGES)
const pages = new Map(paths.map(path => [path, readPage(PAGES, path)]))

/** Each fault names its place; that of this line would only hide it. */
const failWith = (faults: string[]): void => {
  if (faults.length === 0) return
  const error = new Error(`\n\n${faults.join('\n\n')}\n`)
  error.stack = error.message
  throw error
}

/** The examples of a twin that are those of its page have been run with it. */
const isRunWithOriginal = (page: Page): boolean => {
  const original = isTwin(page.path) ? pages.get(originalOf(page.path)) : undefined
  return original !== undefined && hasSameExamples(original, page)
}

describe('the examples run and print what is shown', { concurrency: 2 * availableParallelism() }, () => {
  for (const page of pages.values()) {
    test(page.path, async () =>
      failWith([...checkExamples(page), ...(isRunWithOriginal(page) ? [] : await runPage(page))]),
    )
  }
})

describe('links lead to what is there', () => {
  for (const page of pages.values()) test(page.path, () => failWith(checkLinks(PAGES, page)))
})

describe('tables fit on a terminal', () => {
  for (const page of pages.values()) test(page.path, () => failWith(checkTables(page)))
})

describe('both languages have the same facts', () => {
  for (const path of findPages(PAGES).filter(path => !hasNoTwin(path))) {
    test(path, () => {
      if (!existsSync(join(PAGES, twinOf(path)))) failWith([`${path}: there is no ${twinOf(path)}`])
      failWith(compareTwins(pages.get(path)!, pages.get(twinOf(path))!))
    })
  }
})
