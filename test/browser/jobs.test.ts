import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { waitFor } from '../support/wait-for.ts'
import { BROWSER_TEST, launchBrowser, MORE_BROWSER_TEST } from './support/browser.ts'
import { openConsole } from './support/console-page.ts'
import { findBarriers } from './support/find-barriers.ts'
import { oneAgent } from './support/one-agent.ts'

const browser = launchBrowser()
const agent = oneAgent({ env: { AGENT_MAX_RUNNING: '20' } })

const run = async (body: Record<string, unknown>) => (await agent()).execute({ async: true, ...body })
const rowOf = (page: Page, text: string) => page.locator('.job[data-id]', { hasText: text })
const addressIs = (page: Page, hash: string) =>
  waitFor(`the address is ${hash}`, async () => (await page.evaluate(() => location.hash)) === hash)

test('a job appears as soon as it runs, ticks, and shows how it ended', BROWSER_TEST, async () => {
  const { url } = await agent()
  await using console = await openConsole(await browser(), url)
  const { page } = console
  const job = await run({ cmd: 'sleep 1000 # ends when told', labels: { env: 'prod' } })
  const row = rowOf(page, 'ends when told')
  await row.getByText('running').waitFor()
  const first = await row.locator('.job-duration').textContent()
  await waitFor('it ticks', async () => (await row.locator('.job-duration').textContent()) !== first)
  await (await agent()).call(`/api/jobs/${job.id}/signal`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ signal: 'KILL', to: 'all' }),
  })
  await row.getByText('failed').waitFor()
  assert.equal(await row.locator('.job-outcome').textContent(), 'SIGKILL')
  assert.equal(await row.locator('.job-command a').getAttribute('href'), `#/jobs/${job.id}`)
})

test('a row that did not change is not drawn anew', MORE_BROWSER_TEST, async () => {
  const { url } = await agent()
  await run({ cmd: 'echo stays', async: false })
  await using console = await openConsole(await browser(), url)
  const { page } = console
  await rowOf(page, 'echo stays').first().waitFor()
  await page.evaluate(() => {
    const told = globalThis as unknown as { changed: number; rows: Element[] }
    told.changed = 0
    const rows = [...document.querySelectorAll('.job[data-id]')].filter(row => !row.querySelector('.running'))
    told.rows = rows
    const observer = new MutationObserver(changes => {
      told.changed += changes.length
    })
    for (const row of rows)
      observer.observe(row, { childList: true, subtree: true, attributes: true, characterData: true })
  })
  await run({ cmd: 'echo comes', async: false })
  await rowOf(page, 'echo comes').getByText('success').waitFor()
  const { changed, areThere } = await page.evaluate(() => {
    const { changed, rows } = globalThis as unknown as { changed: number; rows: Element[] }
    return { changed, areThere: rows.length > 0 && rows.every(row => row.isConnected) }
  })
  assert.equal(changed, 0)
  assert.ok(areThere)
})

test(
  'filters are in the address: a link, the back button and a click on a label do what they say',
  BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await run({ cmd: 'exit 3 # one', labels: { team: 'storage' }, async: false })
    await run({ cmd: 'true # two', labels: { team: 'storage' }, async: false })
    await run({ cmd: 'true # three', async: false })
    await using console = await openConsole(await browser(), url, { at: '/jobs?label=team%3Dstorage' })
    const { page } = console
    await rowOf(page, '# two').waitFor()
    assert.equal(await page.locator('.job[data-id]').count(), 2)

    await page.getByRole('button', { name: 'failed' }).click()
    await addressIs(page, '#/jobs?state=failed&label=team%3Dstorage')
    await rowOf(page, '# two').waitFor({ state: 'detached' })
    await page.goBack()
    await rowOf(page, '# two').waitFor()

    await page.getByRole('button', { name: 'Clear filters' }).click()
    await rowOf(page, '# three').waitFor()
    await page.getByLabel('Search').fill('# ONE')
    await addressIs(page, '#/jobs?q=%23+ONE')
    await rowOf(page, '# three').waitFor({ state: 'detached' })
    await rowOf(page, '# one').getByRole('button', { name: 'team=storage' }).click()
    await addressIs(page, '#/jobs?label=team%3Dstorage&q=%23+ONE')

    await page.getByLabel('Search').fill('nothing like this')
    await page.getByRole('heading', { name: 'No job matches' }).waitFor()
    await page.goBack()
    await page.goBack()
    await rowOf(page, '# three').waitFor()
    assert.equal(await page.getByLabel('Search').inputValue(), '')
  },
)

test(
  'a filter that the agent refuses is told in its words, beside the field',
  MORE_BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await using console = await openConsole(await browser(), url)
    console.allowFaults(/400/)
    const { page } = console
    const field = page.getByRole('searchbox', { name: 'Label' })
    await field.fill('env')
    await page.getByText('label must be name=value').waitFor()
    assert.equal(await field.getAttribute('aria-invalid'), 'true')
    assert.equal(await field.inputValue(), 'env')
    await field.fill('')
    await page.locator('.job[data-id]').first().waitFor()
  },
)

test('keys select, open and search, and one is where one was when one comes back', BROWSER_TEST, async () => {
  const { url } = await agent()
  await run({ cmd: 'true # below', async: false })
  const { id } = await run({ cmd: 'true # above', async: false })
  await using console = await openConsole(await browser(), url)
  const { page } = console
  await rowOf(page, '# above').waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  assert.equal(await page.locator('.job.selected').getAttribute('data-id'), id)
  await run({ cmd: 'true # new', async: false })
  await rowOf(page, '# new').waitFor()
  await page.keyboard.press('Enter')
  await addressIs(page, `#/jobs/${id}`)
  await page.goBack()
  await waitFor('the row has the focus again', () =>
    page
      .evaluate(() => document.activeElement?.closest<HTMLElement>('.job')?.dataset.id)
      .then(at => at === id),
  )

  await page.keyboard.press('/')
  await page.keyboard.type('above ')
  await addressIs(page, '#/jobs?q=above')
  await page.keyboard.type('j?')
  assert.equal(await page.getByLabel('Search').inputValue(), 'above j?')
  await page.keyboard.press('Escape')
  assert.equal(await page.getByLabel('Search').inputValue(), 'above j?')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

test(
  'a running job is canceled by a key and a dialog, which says what is wrong with a grace period',
  BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await run({ cmd: 'sleep 1000 # canceled' })
    await using console = await openConsole(await browser(), url, { at: '/jobs?q=%23+canceled' })
    console.allowFaults(/400/)
    const { page } = console
    await rowOf(page, '# canceled').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('?')
    const keys = page.getByRole('dialog', { name: 'Keys' })
    await keys.waitFor()
    await page.keyboard.press('c') // Not while a dialog is open.
    await page.keyboard.press('Escape')
    await keys.waitFor({ state: 'detached' })
    assert.equal(await page.getByRole('dialog').count(), 0)
    await page.keyboard.press('c')
    const dialog = page.getByRole('dialog', { name: 'Cancel this job?' })
    await dialog.getByLabel('Grace period').fill('soon')
    await page.keyboard.press('Enter')
    await dialog.getByText('grace must be a duration').waitFor()
    assert.deepEqual(await findBarriers(page), [])
    await dialog.getByLabel('Grace period').fill('0s')
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await rowOf(page, '# canceled').locator('.state.canceled').waitFor()
  },
)

test(
  'what one looks at stays in its place while jobs come above it; older ones come',
  BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await using console = await openConsole(await browser(), url, { at: '/jobs?q=%23+many' })
    const { page } = console
    const rows = page.locator('.job[data-id]')
    const ended = page.locator('.job[data-id] .state.success')
    await page.getByRole('heading', { name: 'No job matches' }).waitFor()
    await runMany(98)
    await waitFor('they are there', async () => (await ended.count()) === 98)
    const place = await page.evaluate(() => {
      scrollTo(0, 1000)
      const row = document.elementFromPoint(400, 400)!.closest<HTMLElement>('.job')!
      return { id: row.dataset.id!, top: row.getBoundingClientRect().top }
    })
    // With the second there are so many that their group is parted.
    for (const count of [99, 100]) {
      await runMany(1)
      await waitFor('it is there', async () => (await ended.count()) === count)
      const top = await page.evaluate(
        id => document.querySelector(`[data-id="${id}"]`)!.getBoundingClientRect().top,
        place.id,
      )
      assert.ok(Math.abs(top - place.top) < 1, `${place.top} → ${top}`)
    }

    const scrolled = await page.evaluate(() => scrollY)
    await page.locator(`[data-id="${place.id}"] a`).first().click()
    await page.getByText(/^Exit code 0/).waitFor()
    await page.keyboard.press('u')
    await rows.first().waitFor()
    assert.equal(await page.evaluate(() => scrollY), scrolled)

    await page.evaluate(() => {
      location.hash = '#/jobs?q=true+%23+many'
    })
    await waitFor('the newest are there', async () => (await rows.count()) === 50)
    await waitFor('all are there', async () => {
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight))
      return (await rows.count()) === 100
    })
  },
)

test('what one looks at stays in its place when a running job above it ends', MORE_BROWSER_TEST, async () => {
  const host = await agent()
  const ids: string[] = []
  for (let count = 0; count < 12; count++) ids.push((await run({ cmd: 'sleep 1000 # place' })).id)
  const cancel = (id: string) => host.call(`/api/jobs/${id}/cancel`, { method: 'POST' })
  await using console = await openConsole(await browser(), host.url, {
    at: '/jobs?q=%23+place',
    viewport: { width: 1200, height: 320 },
  })
  const { page } = console
  await waitFor('they are there', async () => (await page.locator('.job .state.running').count()) === 12)
  const [first, second] = await page.evaluate(() => {
    scrollTo(0, 300)
    const seen = [...document.querySelectorAll<HTMLElement>('.job[data-id]')]
      .filter(row => row.getBoundingClientRect().bottom > 0)
      .map(row => ({ id: row.dataset.id!, top: row.getBoundingClientRect().top }))
    return [seen[0]!, seen[1]!]
  })
  await cancel(first.id)
  await page.locator(`[data-id="${first.id}"] .state.canceled`).waitFor({ state: 'attached' })
  const top = await page.evaluate(
    id => document.querySelector(`[data-id="${id}"]`)!.getBoundingClientRect().top,
    second.id,
  )
  assert.ok(Math.abs(top - second.top) < 1, `${second.top} → ${top}`)
  await Promise.all(ids.filter(id => id !== first.id).map(cancel))
})

/** Some at a time: the agent has twenty slots. */
const runMany = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 10)
    await Promise.all(
      Array.from({ length: Math.min(10, left) }, () => run({ cmd: 'true # many', async: false })),
    )
}

test('a row has its date from the next day on', MORE_BROWSER_TEST, async () => {
  const { url } = await agent()
  await run({ cmd: 'true # of today', async: false })
  await using console = await openConsole(await browser(), url)
  const { page } = console
  const created = rowOf(page, '# of today').locator('.job-created')
  assert.match((await created.textContent())!, /^\d\d:\d\d:\d\d$/)
  await page.clock.setFixedTime(Date.now() + 86_400_000)
  await waitFor('it has', async () => /^\d\d\/\d\d, \d\d:\d\d$/.test((await created.textContent())!))
})

test('it fits a narrow screen, and has no barrier, light and dark', BROWSER_TEST, async () => {
  const { url } = await agent()
  await run({ cmd: `echo ${'long '.repeat(80)}`, labels: { env: 'prod' } })
  await using console = await openConsole(await browser(), url, { at: '/jobs?label=env%3Dprod' })
  const { page } = console
  await rowOf(page, 'echo long').first().waitFor()
  for (const [colorScheme, width] of [
    ['light', 360],
    ['dark', 1200],
  ] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width)
    assert.deepEqual(await findBarriers(page), [])
  }
})
