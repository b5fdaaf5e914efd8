import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Agent, AgentHistory } from '../../lib/client/client.ts'
import { waitFor } from '../support/wait-for.ts'
import { BROWSER_TEST, launchBrowser, MORE_BROWSER_TEST } from './support/browser.ts'
import { type ConsolePageOptions, openConsole } from './support/console-page.ts'
import { findBarriers } from './support/find-barriers.ts'
import { oneAgent } from './support/one-agent.ts'
import { DEFAULT_KEY, writeKeys } from './support/write-keys.ts'

const ALICE = 'the-secret-of-alice-0123'

const browser = launchBrowser()
const agent = oneAgent({
  env: {
    AGENT_KEYS_FILE: writeKeys([DEFAULT_KEY, { id: 'alice', rights: ['read', 'run'], secret: ALICE }]),
    AGENT_MAX_LIMITS: 'fileSize=1gb',
  },
})

/** The page, from an agent that runs for an hour and more. */
const openAgent = async (options: ConsolePageOptions = {}) => {
  const console = await openConsole(await browser(), (await agent()).url, options)
  const { page } = console
  await page.route('**/api/agent/history', route =>
    route.fulfill({ json: { code: 0, success: true, msg: '', data: HOUR } }),
  )
  await page.getByRole('link', { name: 'Agent', exact: true }).click()
  await page.locator('.curve canvas').nth(4).waitFor()
  return console
}

const HOUR: AgentHistory = {
  everyMs: 15_000,
  samples: Array.from({ length: 240 }, (_, index) => ({
    time: new Date(Date.UTC(2026, 0, 31, 12) + index * 15_000).toISOString(),
    running: index % 5,
    started: 1,
    ended: 1,
    failed: index % 2,
    rejected: 0,
    cpu: 0.01,
    residentBytes: 60_000_000 + index * 1000,
    load: 1 + Math.sin(index / 20),
  })),
}

/** Has the agent tell something else of itself. */
const tell = (page: Page, changes: Partial<Agent>) =>
  page.route('**/api/agent', async route => {
    const response = await route.fetch()
    const answer = await response.json()
    await route.fulfill({ response, json: { ...answer, data: { ...answer.data, ...changes } } })
  })

/** The colours that stand in a curve. */
const coloursOf = (page: Page): Promise<string[]> =>
  page
    .locator('.curve canvas')
    .first()
    .evaluate(canvas => {
      const { width, height } = canvas as HTMLCanvasElement
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height)
      const colours = new Set<string>()
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] === 255) colours.add(data.subarray(at, at + 3).join(' '))
      return [...colours]
    })

/** Of the custom property --running in the light and the dark scheme. */
const RUNNING = { light: '11 92 173', dark: '124 183 242' }

test('agent, host, limits and key are told, and the last hour as curves', BROWSER_TEST, async () => {
  await using console = await openAgent()
  const { page } = console
  const { data } = await (await agent()).call('/api/agent')
  const { version, host } = data as Agent & Required<Pick<Agent, 'host'>>
  const fact = (name: string) =>
    page.locator('.agent-facts > div', { has: page.getByText(name, { exact: true }) }).locator('dd')
  assert.equal(await fact('Version').textContent(), version)
  assert.ok((await fact('System').textContent())?.includes(host.release))
  assert.equal(await fact('State').textContent(), 'takes jobs')
  assert.match((await fact('Disk').textContent())!, /free of/)
  assert.match((await fact('May').textContent())!, /control all jobs, and drain the agent admin/)
  const row = page.getByRole('row', { name: 'File size' })
  assert.deepEqual(await row.getByRole('cell').allTextContents(), ['prlimit', '–', '1.0 GB'])
  await page
    .getByRole('figure', { name: 'Running jobs' })
    .getByText('4 now, 4 at the most. 5: limit.')
    .waitFor()
})

test('an hour that cannot be read is said aloud', MORE_BROWSER_TEST, async () => {
  await using console = await openConsole(await browser(), (await agent()).url, { at: '/jobs' })
  console.allowFaults(/404/)
  const { page } = console
  await page.route('**/api/agent/history', route => route.fulfill({ status: 404, body: 'no' }))
  await page.getByRole('link', { name: 'Agent', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: 'It cannot be read' }).waitFor()
})

test('the values of the moment that one points at are shown', MORE_BROWSER_TEST, async () => {
  await using console = await openAgent()
  const { page } = console
  const curve = page.locator('.curve').first()
  const box = (await curve.locator('.u-over').boundingBox())!
  await page.mouse.move(box.x + 1, box.y + box.height / 2)
  await waitFor('the first value is shown', async () =>
    /running\s*0/.test((await curve.locator('li').first().textContent()) ?? ''),
  )
  await page.mouse.move(0, 0)
  await waitFor('the last value is shown', async () =>
    /running\s*4/.test((await curve.locator('li').first().textContent()) ?? ''),
  )
})

test(
  'curves have the colours of the scheme, also when it changes, and the width of the window',
  MORE_BROWSER_TEST,
  async () => {
    await using console = await openAgent({ viewport: { width: 1200, height: 800 } })
    console.allowFaults(/willReadFrequently/) // The test itself reads the canvas.
    const { page } = console
    const has = (colour: string) => async () => (await coloursOf(page)).includes(colour)
    await waitFor('it is drawn', has(RUNNING.light))
    await page.route('**/api/agent/history', () => {}) // Other values would be drawn anew too.
    await page.emulateMedia({ colorScheme: 'dark' })
    await waitFor('it is drawn anew', has(RUNNING.dark))
    await page.setViewportSize({ width: 360, height: 640 })
    await waitFor(
      'it is narrow',
      async () => ((await page.locator('.curve canvas').first().boundingBox())?.width ?? 999) < 340,
    )
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0)
  },
)

test('what is wrong comes first, in words', BROWSER_TEST, async () => {
  await using console = await openConsole(await browser(), (await agent()).url)
  const { page } = console
  await tell(page, {
    audit: { state: 'failing' },
    guardian: { state: 'missing', error: 'no awk', restarts: 0 },
  })
  await page.getByRole('link', { name: 'Agent', exact: true }).click()
  const problems = page.getByRole('list', { name: 'What needs attention' }).getByRole('listitem')
  await problems.nth(1).waitFor()
  const [first, second] = await problems.allTextContents()
  assert.match(first!, /The audit trail cannot be written: new jobs are refused\./)
  assert.match(second!, /no awk/)
})

test('the page has no barrier, light and dark', BROWSER_TEST, async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await using console = await openAgent({ colorScheme })
    assert.deepEqual(await findBarriers(console.page), [])
  }
})

test('a key without the right for it is offered no drain', MORE_BROWSER_TEST, async () => {
  await using console = await openAgent({ secret: ALICE })
  assert.equal(await console.page.getByRole('button', { name: 'Drain…' }).count(), 0)
})

// The last: the agent takes no jobs after it.
test('a drain is asked for first, and then the agent takes no new jobs', BROWSER_TEST, async () => {
  const { id } = await (await agent()).execute({ cmd: 'sleep 1000', async: true })
  await using console = await openAgent()
  const { page } = console
  const drain = page.getByRole('button', { name: 'Drain…' })
  await drain.click()
  await page.getByRole('dialog').getByText('ends with the one that runs').waitFor()
  assert.deepEqual(await findBarriers(page), [])
  await page.keyboard.press('Escape')
  await drain.and(page.locator(':focus')).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
  await page
    .getByText('The agent is draining: it takes no new jobs, and ends with the one that runs')
    .waitFor()
  assert.equal(await drain.count(), 0)
  assert.equal(((await (await agent()).call('/api/agent')).data as Agent).draining, true)
  assert.equal((await (await agent()).job(id)).state, 'running')
})
