import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { JobProcess } from '../../lib/client/client.ts'
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
    AGENT_MAX_RUNNING: '20',
  },
})

/** A new job. */
const submit = async (request: Record<string, unknown>): Promise<string> =>
  (await (await agent()).execute({ async: true, ...request })).id

const openJob = async (id: string, options: ConsolePageOptions = {}) => {
  const { url } = await agent()
  const console = await openConsole(await browser(), url, { at: `/jobs/${id}`, ...options })
  await console.page.locator('.job-columns').waitFor()
  return console
}

const processOf = async (id: string, command: string): Promise<JobProcess | undefined> => {
  const { data } = await (await agent()).call(`/api/jobs/${id}/processes`)
  return (data as JobProcess[]).find(process => process.command === command)
}

const stateOf = async (id: string): Promise<string> => (await (await agent()).job(id)).state

const shows = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor()

test(
  'a job that runs shows its output, processes and curves, and says how it ended',
  BROWSER_TEST,
  async () => {
    const id = await submit({ cmd: 'echo first; sleep 1000; echo last; exit 3', labels: { env: 'prod' } })
    await using console = await openJob(id)
    const { page } = console
    await shows(page, 'first')
    await page.getByRole('cell', { name: 'sleep' }).first().waitFor()
    await page.getByText('follows · 1 line').first().waitFor()
    assert.match(await page.title(), /^running: echo first; sleep 1000; echo last; exit 3 · .+ · newdt$/)
    await page.locator('.curve canvas').nth(1).waitFor()
    const lastTime = await timeAtTheRight(page)
    await waitFor('a later time is drawn at the right', async () => (await timeAtTheRight(page)) !== lastTime)
    assert.deepEqual(await findBarriers(page), [])
    await page.setViewportSize({ width: 360, height: 740 })
    assert.deepEqual(await findBarriers(page), [])
    assert.equal(await page.getByRole('region', { name: 'Output', exact: true }).count(), 1)
    await page.keyboard.press('/')
    await page.keyboard.type('FIRST')
    await shows(page, '1 hit')

    process.kill((await processOf(id, 'sleep'))!.pid)
    await shows(page, 'last')
    await page.getByText(/^Exit code 3 after/).waitFor()
    await waitFor('the tab tells it', async () => (await page.title()).startsWith('failed: echo first'))
    const said = await page.locator('.ending [role=status]').textContent()
    assert.match(said!, /^The job has ended\. Exit code 3 after \d/)
    assert.equal(await page.getByRole('button', { name: 'Cancel…' }).count(), 0)
    const summaries = await page.locator('.curve figcaption .unseen').allTextContents()
    assert.equal(summaries.filter(text => /At most .* while the page was open/.test(text)).length, 2)
    await page.getByRole('link', { name: 'All jobs' }).click()
    await waitFor('the title is as before', async () => !(await page.title()).includes('echo'))
  },
)

/** Of the curve, when one points there. */
const timeAtTheRight = async (page: Page): Promise<string> => {
  const curve = page.locator('.curve').first()
  const { x, y, width, height } = (await curve.locator('.u-over').boundingBox())!
  await page.mouse.move(x + width / 2, y + height / 2)
  await page.mouse.move(x + width - 1, y + height / 2)
  return (await curve.locator('.curve-moment').textContent())!
}

test(
  'a job that has ended is asked for once, and has no barrier in either scheme',
  BROWSER_TEST,
  async () => {
    const { id } = await (await agent()).execute({ cmd: 'echo out; echo err >&2; exit 4' })
    for (const colorScheme of ['light', 'dark'] as const) {
      await using console = await openJob(id, { colorScheme, viewport: { width: 360, height: 640 } })
      const { page } = console
      await shows(page, 'err')
      await page.getByText(/^Exit code 4 after/).waitFor()
      await page.locator('.output-status').getByText('2 lines', { exact: true }).first().waitFor()
      assert.deepEqual(await findBarriers(page), [])
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.equal(tooWide, 0)
      // A job that runs is looked at at once.
      const asked = await page.evaluate(() =>
        performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
      )
      assert.deepEqual(
        asked.filter(path => path.startsWith('/api/jobs/')),
        [`/api/jobs/${id}/events`],
      )
    }
  },
)

test('what is typed into the dialog of cancel stays when the agent refuses it', BROWSER_TEST, async () => {
  const id = await submit({ cmd: "trap '' TERM; echo ready; while :; do sleep 1; done" })
  await using console = await openJob(id)
  console.allowFaults(/400/)
  const { page } = console
  await shows(page, 'ready')
  await page.keyboard.press('c')
  const grace = page.getByRole('dialog').getByRole('textbox')
  await grace.fill('soon')
  await grace.press('Enter')
  await shows(page, /grace must be/)
  assert.equal(await grace.inputValue(), 'soon')
  await grace.fill('0s')
  await grace.press('Enter')
  await page.getByText(/^Canceled after .* \(SIGKILL\)$/).waitFor()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal(await stateOf(id), 'canceled')
})

test('the end of the output that one follows is on the screen', MORE_BROWSER_TEST, async () => {
  const id = await submit({ cmd: 'seq 1000\n# a second line\n# a third line\nsleep 1000' })
  await using console = await openJob(id, { viewport: { width: 1366, height: 768 } })
  const { page } = console
  const last = page.locator('.output-row', { hasText: /^1000$/ })
  const isOnScreen = async (): Promise<boolean> => {
    await last.waitFor()
    return last.evaluate(row => {
      const { top, bottom } = row.getBoundingClientRect()
      const list = row.closest('.output-list')!.getBoundingClientRect()
      return top >= list.top && bottom <= list.bottom && list.top >= 0 && list.bottom <= innerHeight
    })
  }
  await waitFor('it is there when the page comes', isOnScreen)
  await page.setViewportSize({ width: 360, height: 740 })
  // Until the box has the height for this window, its end may go out of it again.
  await waitFor('it comes by the key', async () => {
    await page.evaluate(() => scrollTo(0, 0))
    await page.keyboard.press('f')
    return isOnScreen()
  })
  await page.evaluate(() => scrollTo(0, 0))
  const follow = page.getByRole('button', { name: 'Follow' })
  await follow.click()
  await page.evaluate(() => scrollTo(0, 0))
  await follow.click()
  await waitFor('it comes by the button', isOnScreen)
})

test('why the processes that a job has left are not shown is said aloud', MORE_BROWSER_TEST, async () => {
  const { id, stdout } = await (await agent()).execute({ cmd: 'sleep 1000 > /dev/null 2>&1 & echo $!' })
  const { url } = await agent()
  await using console = await openConsole(await browser(), url)
  console.allowFaults(/404/)
  const { page } = console
  await page.route('**/processes', route => route.fulfill({ status: 404, body: 'no' }))
  await page.evaluate(id => {
    location.hash = `#/jobs/${id}`
  }, id)
  await page
    .locator('section', { has: page.locator('#leftovers-title') })
    .getByRole('alert')
    .waitFor()
  process.kill(Number(stdout))
})

test('a cancel that fails after its dialog was closed is told in the page', MORE_BROWSER_TEST, async () => {
  const id = await submit({ cmd: 'echo ready; sleep 1000' })
  await using console = await openJob(id)
  console.allowFaults(/404/)
  const { page } = console
  const closed = Promise.withResolvers<void>()
  await page.route('**/cancel', async route => {
    await closed.promise
    await route.fulfill({ status: 404, body: 'no' })
  })
  await shows(page, 'ready')
  await page.keyboard.press('c')
  await page.getByRole('button', { name: 'Cancel the job' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  closed.resolve()
  await shows(page, /^The job was not canceled: /)
})

test('a signal reaches the job', BROWSER_TEST, async () => {
  const id = await submit({ cmd: "trap 'echo reloaded; exit' USR1; echo ready; while :; do sleep 0.1; done" })
  await using console = await openJob(id)
  const { page } = console
  await shows(page, 'ready')
  await page.getByRole('button', { name: 'Signal…' }).click()
  await page.getByRole('combobox', { name: 'Signal' }).selectOption('USR1')
  await page.getByRole('button', { name: 'Send' }).click()
  await shows(page, 'reloaded')
})

test('a signal to all processes reaches those that the job has started', MORE_BROWSER_TEST, async () => {
  const child = "(trap 'echo in the child; exit' USR1; echo ready; while :; do sleep 0.1; done) &"
  const id = await submit({ cmd: `trap : USR1; ${child} until wait; do :; done` })
  await using console = await openJob(id)
  const { page } = console
  await shows(page, /^ready$/)
  await page.getByRole('button', { name: 'Signal…' }).click()
  await page.getByRole('combobox', { name: 'Signal' }).selectOption('USR1')
  await page.getByRole('radio', { name: 'all of its processes' }).check()
  await page.getByRole('button', { name: 'Send' }).click()
  await shows(page, /^in the child$/)
})

test('output is saved byte for byte, and copied as text', BROWSER_TEST, async () => {
  const { id } = await (await agent()).execute({
    cmd: "printf 'a\\377\\0b\\n'; sleep 0.1; printf 'c\\n' >&2",
  })
  await using console = await openJob(id, { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = console
  const saved = async (name: string): Promise<[string, string]> => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Download ${name}`, exact: true }).click(),
    ])
    return [download.suggestedFilename(), (await readFile(await download.path())).toString('latin1')]
  }
  assert.deepEqual(await saved('stdout'), [`${id}-stdout.txt`, 'a\xff\0b\n'])
  assert.deepEqual(await saved('stderr'), [`${id}-stderr.txt`, 'c\n'])
  assert.deepEqual(await saved('both'), [`${id}-output.txt`, 'a\xff\0b\nc\n'])
  await page.getByRole('button', { name: 'Copy all' }).click()
  await waitFor('the output is copied', async () => /^a.*b\nc\n$/s.test(await clipboard(page)))
})

const clipboard = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText())

test('a command is shown with what it hides, and copied as it is', MORE_BROWSER_TEST, async () => {
  const cmd = "echo 'safe \u202e# gnihton'\t<b>\n"
  const { id } = await (await agent()).execute({ cmd })
  const { url } = await agent()
  await using console = await openJob(id, { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = console
  await shows(page, 'U+202E')
  await waitFor('the tab names it', async () =>
    (await page.title()).startsWith("failed: echo 'safe <U+202E># gnihton'"),
  )
  const copied = async (name: string): Promise<string> => {
    await page.evaluate(() => navigator.clipboard.writeText(''))
    await page.getByRole('button', { name, exact: true }).click()
    return waitFor(`${name} has copied something`, () => clipboard(page))
  }
  assert.equal(await copied('Copy the command'), cmd)
  assert.equal(
    await copied('Copy as newdt'),
    `newdt run ${url} -- $'echo \\'safe \\xe2\\x80\\xae# gnihton\\'\\x09<b>\\n'`,
  )
  await shows(page, /directory, environment/)
  assert.match(await copied('Copy as curl'), /^body=.*\ncurl -sS http.*newdt sign/s)
})

test("somebody else's job is looked at, not controlled", BROWSER_TEST, async () => {
  const id = await submit({ cmd: 'echo ready; sleep 1000' })
  await using console = await openJob(id, { secret: ALICE, locale: 'zh-CN' })
  const { page } = console
  await shows(page, 'ready')
  assert.equal(await page.getByRole('button', { name: '取消…' }).count(), 0)
  await page.keyboard.press('c')
  await shows(page, '此密钥不能取消此任务')
  assert.equal(await page.getByRole('dialog').count(), 0)
  await page.getByRole('button', { name: 'stderr', exact: true }).click()
  await shows(page, 'stderr 还没有输出。')
  await page.getByRole('link', { name: '再次执行' }).waitFor()
})

test('a job is found by what its id begins with', MORE_BROWSER_TEST, async () => {
  const { id } = await (await agent()).execute({ cmd: 'echo found' })
  await using console = await openConsole(await browser(), (await agent()).url, {
    at: `/jobs/${id.slice(0, 28)}`,
  })
  const { page } = console
  await page.waitForURL(url => url.hash === `#/jobs/${id}`)
  await shows(page, 'found')
  await page.evaluate(() => {
    location.hash = '#/jobs/ffffffffffff'
  })
  await shows(page, 'No job has an id that begins with ffffffffffff.')
  await page.keyboard.press('u')
  await waitFor('the list is there', () => page.url().endsWith('#/jobs'))
})

test(
  'a job that is not there is told in the words of the agent, and a key leads back',
  MORE_BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await using console = await openConsole(await browser(), url, { at: '/jobs?state=failed' })
    console.allowFaults(/404/)
    const { page } = console
    await page.evaluate(id => {
      location.hash = `#/jobs/${id}`
    }, 'f'.repeat(32))
    await shows(page, /there is no such job/)
    await page.keyboard.press('u')
    await waitFor('the list is there, with its filter', () => page.url().endsWith('#/jobs?state=failed'))
  },
)
