import assert from 'node:assert/strict'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { SECRET } from '../../support/agent.ts'

export interface ConsolePageOptions extends BrowserContextOptions {
  /** Behind `#`, `/jobs?state=failed`. */
  at?: string
  secret?: string
}

/**
 * The console in a window of its own, signed in. When it is closed, there must have been no error on its console and
 * nothing that the Content-Security-Policy refused, but for what the test has allowed.
 */
export const openConsole = async (
  browser: Browser,
  url: string,
  { at = '/jobs', secret = SECRET, ...options }: ConsolePageOptions = {},
) => {
  const one = await openSignIn(browser, url, { at, ...options })
  await signIn(one.page, secret)
  return one
}

/** The same before one has signed in. */
export const openSignIn = async (
  browser: Browser,
  url: string,
  { at = '/jobs', ...options }: Omit<ConsolePageOptions, 'secret'> = {},
) => {
  const context = await browser.newContext({ locale: 'en-US', ...options })
  const page = await context.newPage()
  const faults = await recordFaults(page)
  const allowed: RegExp[] = []
  await page.goto(new URL(`#${at}`, url.endsWith('/') ? url : `${url}/`).href)
  return {
    page,
    /** Of such faults a test has some on purpose. */
    allowFaults: (pattern: RegExp) => void allowed.push(pattern),
    async [Symbol.asyncDispose]() {
      await context.close()
      assert.deepEqual(
        faults.filter(fault => !allowed.some(pattern => pattern.test(fault))),
        [],
      )
    },
  }
}

export const signIn = async (page: Page, secret = SECRET): Promise<void> => {
  await page.locator('input[name=kind]').nth(1).check()
  await page.locator('input[type=password]').fill(secret)
  await page.locator('button.primary').click()
  await page.locator('.shell').waitFor()
}

/** Errors, warnings, and what the policy has refused, as they come. */
export const recordFaults = async (page: Page): Promise<string[]> => {
  const faults: string[] = []
  page.on('pageerror', error => faults.push(`error: ${error.stack ?? error.message}`))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning')
      faults.push(`${message.type()}: ${message.text()}`)
  })
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      console.error(`CSP: ${violatedDirective} ${blockedURI} ${sample}`),
    )
  })
  return faults
}
