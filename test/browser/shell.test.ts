import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Agent } from '../../lib/client/client.ts'
import { waitFor } from '../support/wait-for.ts'
import { BROWSER_TEST, launchBrowser, MORE_BROWSER_TEST } from './support/browser.ts'
import { openConsole, openSignIn, signIn } from './support/console-page.ts'
import { oneAgent } from './support/one-agent.ts'

const browser = launchBrowser()
const agent = oneAgent()

const waitForTitle = (page: Page, title: string) =>
  waitFor(`the tab is named ${title}`, async () => (await page.title()) === title || undefined)

const focused = (page: Page) => page.evaluate(() => document.activeElement?.id)

test(
  'the tab is named by page and host, and the focus goes to the page that is shown',
  MORE_BROWSER_TEST,
  async () => {
    const one = await agent()
    const { url } = one
    const { name } = ((await one.call('/api/agent')).data as Agent).host!
    await using console = await openSignIn(await browser(), url)
    const { page } = console
    await waitForTitle(page, `Sign in · ${new URL(url).host} · newdt`)
    await signIn(page)
    await waitForTitle(page, `Jobs · ${name} · newdt`)
    assert.equal(await focused(page), 'content')

    await page.getByRole('link', { name: 'Agent', exact: true }).click()
    await waitForTitle(page, `Agent · ${name} · newdt`)
    assert.equal(await focused(page), 'content')

    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await waitForTitle(page, `Run · ${name} · newdt`)
    await waitFor('the command has the focus', async () => {
      const has = await page.evaluate(() => document.activeElement?.localName)
      return has === 'textarea' || undefined
    })

    const { id } = await one.execute({ cmd: 'echo title' })
    await page.goto(`${url}/#/jobs/${id}`)
    await waitForTitle(page, `success: echo title · ${name} · newdt`)
    assert.equal(await focused(page), 'content')
    await page.getByRole('link', { name: 'Jobs', exact: true }).click()
    await waitForTitle(page, `Jobs · ${name} · newdt`)

    const search = page.locator('input[name=q]')
    await search.pressSequentially('echo')
    await waitFor('the address has the filter', () => /[?&]q=echo/.test(page.url()) || undefined)
    assert.ok(await search.evaluate(field => field === document.activeElement))
  },
)

test(
  'an agent that refuses jobs is told on every page, with a link to what it says',
  BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await using console = await openSignIn(await browser(), url)
    const { page } = console
    await page.route('**/api/agent', async route => {
      const response = await route.fetch()
      const answer = await response.json()
      answer.data.store = { ...answer.data.store, state: 'full' }
      await route.fulfill({ response, json: answer })
    })
    await signIn(page)
    const notice = page.getByRole('status').filter({ hasText: 'The disk is full' })
    await notice.waitFor()
    await page.getByRole('link', { name: 'Run', exact: true }).click()
    await notice.getByRole('link').click()
    await page.getByRole('heading', { name: /^Agent/ }).waitFor()
    assert.equal(await page.locator('.notice').textContent(), '')
  },
)

test('a key that has lost its rights, or is gone, is told', BROWSER_TEST, async () => {
  const { url } = await agent()
  await using console = await openConsole(await browser(), url, { at: '/agent' })
  console.allowFaults(/40[13]/)
  const { page } = console
  await page.clock.install()
  await page.reload()
  await signIn(page)
  for (const [status, error, msg, notice] of [
    [403, 'forbidden', 'no right', 'The agent tells nothing any more: no right'],
    [401, 'token-wrong', 'gone', 'The agent does not take this token or secret any more.'],
  ] as const) {
    await page.route('**/api/agent', route =>
      route.fulfill({ status, json: { code: 1, success: false, msg, error, data: null } }),
    )
    await page.clock.fastForward(6000)
    await page.locator('.notice').getByText(notice).waitFor()
  }
  await page.unroute('**/api/agent')
  await page.clock.fastForward(6000)
  await waitFor('the notice is gone', async () => (await page.locator('.notice').textContent()) === '')
})
