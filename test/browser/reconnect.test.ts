import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHome, startAgent } from '../support/agent.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { waitFor } from '../support/wait-for.ts'
import { BROWSER_TEST, launchBrowser, MORE_BROWSER_TEST } from './support/browser.ts'
import { openConsole, openSignIn, signIn } from './support/console-page.ts'

const browser = launchBrowser()

/** What a browser says of a connection that breaks; code that is loaded for later may be cut off too. */
const BROKEN = /ERR_|Failed to load module script|Failed to fetch|the server responded with a status of 5/

/** What a job writes that counts without end. */
const COUNTING = { cmd: 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.05; done', async: true }

test(
  'after a restart of the agent the console goes on: what was lost is told, what is new is shown',
  BROWSER_TEST,
  async () => {
    const home = createHome()
    const first = await startAgent(home)
    const { port } = new URL(first.url)
    await using console = await openConsole(await browser(), first.url)
    console.allowFaults(BROKEN)
    const { page } = console
    const { id } = await first.execute(COUNTING)
    const row = page.locator(`[data-id="${id}"]`)
    await row.getByText('running').waitFor()

    await first.end('SIGKILL')
    await page.getByText(/^No connection to the agent/).waitFor()
    const second = await startAgent(home, { env: { AGENT_PORT: port } })
    await row.getByText('failed').waitFor()
    await waitFor('the notice is gone', async () => (await page.locator('.notice').textContent()) === '')
    const { id: next } = await second.execute({ cmd: 'true' })
    await page.locator(`[data-id="${next}"]`).getByText('success').waitFor()
    await second.end()
    await home.assertClean()
  },
)

test(
  'a page that follows a job goes on where it was: no line is missing, none comes twice',
  BROWSER_TEST,
  async t => {
    const home = createHome()
    const agent = await startAgent(home)
    const proxy = await startCuttingProxy(agent.url)
    t.after(proxy.close)
    const { id } = await agent.execute(COUNTING)
    {
      await using console = await openConsole(await browser(), proxy.url, { at: `/jobs/${id}` })
      console.allowFaults(BROKEN)
      const { page } = console
      await page
        .getByText(/^line \d+$/)
        .first()
        .waitFor()
      proxy.cutAfter([0, 20, 40, 400, 300, 200])
      const broken = page.getByText(/^The connection to this job is broken/)
      await broken.waitFor()
      await broken.waitFor({ state: 'detached' })
      await agent.call(`/api/jobs/${id}/cancel`, { method: 'POST' })
      await page
        .getByText(/^Canceled after/)
        .first()
        .waitFor()
      const { stdout } = await agent.job(id)
      await page.getByText(stdout.trimEnd().split('\n').at(-1)!, { exact: true }).waitFor()
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.getByRole('button', { name: 'Copy all' }).click()
      const copied = () => page.evaluate(() => navigator.clipboard.readText())
      assert.equal(await waitFor('it is copied', copied), stdout)
    }
    await agent.end()
    await home.assertClean()
  },
)

test(
  'a page whose code was cut off is there once its code comes, and else says so',
  BROWSER_TEST,
  async () => {
    const home = createHome()
    const agent = await startAgent(home)
    {
      await using console = await openSignIn(await browser(), agent.url)
      console.allowFaults(BROKEN)
      const { page } = console
      await page.route('**/agent-facts.ts', route => route.abort())
      await signIn(page)
      await page.getByRole('link', { name: 'Agent', exact: true }).click()
      await page.getByText(/^This part of the console could not be loaded/).waitFor()
      await page.unroute('**/agent-facts.ts')
      await page.getByRole('button', { name: 'Load it anew' }).click()
      await signIn(page)
      await page.locator('.agent-facts').first().waitFor()
    }
    await agent.end()
    await home.assertClean()
  },
)

test('four windows that follow jobs leave room for a fifth', MORE_BROWSER_TEST, async () => {
  const home = createHome()
  const agent = await startAgent(home)
  const context = await (await browser()).newContext({ locale: 'en-US' })
  const open = async (at: string) => {
    const page = await context.newPage()
    await page.goto(`${agent.url}/#${at}`)
    await signIn(page)
    return page
  }
  const { id } = await agent.execute(COUNTING)
  for (let windows = 0; windows < 4; windows++) {
    const page = await open(`/jobs/${id}`)
    await page
      .getByText(/^line \d+$/)
      .first()
      .waitFor()
  }
  const fifth = await open('/jobs')
  await fifth.locator(`[data-id="${id}"]`).waitFor()
  await context.close()
  await agent.end()
  await home.assertClean()
})
