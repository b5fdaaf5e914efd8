import { existsSync } from 'node:fs'
import { after } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { CHROMIUM, EXECUTABLE } from './chromium.ts'

/** For test(): why tests with a browser are left out, where there is none. */
export const BROWSER_TEST = {
  skip: existsSync(EXECUTABLE) ? false : 'chromium is not installed (Debian package chromium)',
}

/** The same for those that `npm test` leaves out, which is to take five minutes: `npm run browser` runs all. */
export const MORE_BROWSER_TEST = {
  skip: BROWSER_TEST.skip || (process.env.TEST_BROWSER === 'all' ? false : 'npm run browser runs it'),
}

/** One browser for the tests of a file; it is closed when they are over. */
export const launchBrowser = (): (() => Promise<Browser>) => {
  let browser: Promise<Browser> | undefined
  after(async () => (await browser)?.close())
  return () => {
    browser ??= chromium.launch(CHROMIUM)
    return browser
  }
}
