import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { ROOT, SECRET } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'
import { BROWSER_TEST, launchBrowser, MORE_BROWSER_TEST } from './support/browser.ts'
import { type ConsolePageOptions, openConsole } from './support/console-page.ts'
import { findBarriers } from './support/find-barriers.ts'
import { oneAgent } from './support/one-agent.ts'
import { DEFAULT_KEY, writeKeys } from './support/write-keys.ts'

const READER = 'the-secret-of-a-reader-0123'
const BOUNDED = 'the-secret-of-one-with-bounds'

const KEYS = [
  DEFAULT_KEY,
  { id: 'reader', rights: ['read'], secret: READER },
  {
    id: 'bounded',
    rights: ['read', 'run'],
    secret: BOUNDED,
    commands: ['date -u', 'uptime'],
    timeout: '1m',
    running: 2,
  },
]

const browser = launchBrowser()
const agent = oneAgent({
  env: { AGENT_KEYS_FILE: writeKeys(KEYS), AGENT_MAX_RUNNING: '2', AGENT_DEFAULT_LIMITS: 'openFiles=512' },
})

const openRun = async (options: ConsolePageOptions = {}) =>
  openConsole(await browser(), (await agent()).url, { at: '/run', ...options })

/** The job that the console has gone to, when it has ended. */
const endedJob = async (page: Page) => {
  await page.waitForURL(/#\/jobs\/[0-9a-f]{32}$/)
  const id = page.url().slice(-32)
  const { data } = await (await agent()).call(`/api/jobs/${id}?wait=1m`)
  return data as Record<string, unknown>
}

const command = (page: Page) => page.getByLabel('Command', { exact: true }).and(page.locator('textarea'))

test('a command runs by Ctrl+Enter, with all that was filled in', BROWSER_TEST, async () => {
  await using console = await openRun()
  const { page } = console
  // The field has the focus at once.
  await command(page).and(page.locator(':focus')).waitFor()
  await page.keyboard.type('cat; echo "$PWD $GREETING $1"')
  await page.getByLabel('Params').fill('# more')
  await page.getByLabel('Directory').fill('/tmp')
  await page.getByLabel('Timeout').fill('30s')
  await page.getByRole('button', { name: 'Add a variable' }).click()
  await page.getByLabel('Environment: name 1').and(page.locator(':focus')).waitFor()
  await page.keyboard.type('GREETING')
  await page.keyboard.press('Tab')
  await page.keyboard.type('hello')
  await page.getByRole('button', { name: 'Add a label' }).click()
  await page.getByLabel('Labels: name 1').and(page.locator(':focus')).waitFor()
  await page.keyboard.type('env')
  await page.keyboard.press('Tab')
  await page.keyboard.type('prod')
  await page.getByText('Input', { exact: true }).click()
  await page.getByLabel('Standard input').fill('typed\n')
  await page.getByText('Limits and rights').click()
  assert.equal(await page.getByLabel('Open files').getAttribute('placeholder'), '512')
  await page.getByLabel('File size').fill('1mb')
  await page.keyboard.press('Control+Enter')

  const job = await endedJob(page)
  assert.equal(job.stdout, 'typed\n/tmp hello \n')
  assert.equal(job.params, '# more')
  assert.deepEqual(job.labels, { env: 'prod' })
  assert.deepEqual(job.limits, { openFiles: 512, fileSize: 1024 ** 2 })
})

test('a script is shown in colours while one types, and runs', BROWSER_TEST, async () => {
  await using console = await openRun()
  const { page } = console
  await page.getByRole('radio', { name: 'Script' }).check({ force: true })
  await page.getByLabel('Name', { exact: true }).fill('report.py')
  const runsWith = page.getByLabel('Runs with')
  assert.equal(await runsWith.inputValue(), 'python')
  const content = page.getByLabel('Content')
  await content.fill('#!/usr/bin/perl\n')
  await page.getByText('The first line is for perl').waitFor()
  assert.equal(await runsWith.inputValue(), 'shell')
  await content.fill('import sys\nfor name in sys.argv[1:]:\n    print("<b>" + name)\n')
  await page.locator('.code-field .token-kwd', { hasText: 'import' }).waitFor()
  // What is shown is what is typed, at the same places.
  const shown = await page.locator('.code-field pre').textContent()
  assert.equal(shown, `${await content.inputValue()}\n`)
  const heights = await page.evaluate(() =>
    ['.code-field pre', '.code-field textarea'].map(one => document.querySelector(one)!.scrollHeight),
  )
  assert.equal(heights[0], heights[1])
  await page.getByLabel('Params').fill('a "b c"')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  assert.equal((await endedJob(page)).stdout, '<b>a\n<b>b c\n')
})

test('a megabyte that is pasted is taken without colours, and runs', MORE_BROWSER_TEST, async () => {
  await using console = await openRun({ permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = console
  await page.getByRole('radio', { name: 'Script' }).check({ force: true })
  await page.getByLabel('Name', { exact: true }).fill('long.sh')
  const content = `${'# a line of a long script, which does nothing\n'.repeat(25_000)}echo "$(wc -c < "$0")"`
  await page.evaluate(text => navigator.clipboard.writeText(text), content)
  await page.getByLabel('Content').focus()
  await page.keyboard.press('Control+V')
  await page.locator('.code-field.plain').waitFor()
  assert.equal(await page.locator('.code-field pre').count(), 0)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  assert.equal((await endedJob(page)).stdout, `${content.length}\n`)
})

test('Tab leaves a field for code, and Enter in another field runs nothing', MORE_BROWSER_TEST, async () => {
  await using console = await openRun()
  const { page } = console
  await command(page).fill('exit 9')
  await page.keyboard.press('Tab')
  await page.getByLabel('Params').and(page.locator(':focus')).waitFor()
  await page.keyboard.press('Enter')
  const { data } = await (await agent()).call('/api/jobs?q=exit%209')
  assert.deepEqual(data, [])
})

test(
  'what the agent refuses is told in its words, its field has the focus, and all that was typed is there',
  BROWSER_TEST,
  async () => {
    await using console = await openRun()
    console.allowFaults(/400/)
    const { page } = console
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('Type a command first.').waitFor()

    await command(page).fill('true')
    await page.getByText('Limits and rights').click()
    await page.getByLabel('Open files').fill('many')
    await page.getByText('Limits and rights').click()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText(/limits\.openFiles must be/).waitFor()
    // It is seen although what it stands in was closed.
    await page.getByLabel('Open files').and(page.locator(':focus')).waitFor()
    assert.equal(await page.getByLabel('Open files').getAttribute('aria-invalid'), 'true')
    assert.equal(await page.getByLabel('Open files').inputValue(), 'many')
    assert.equal(await command(page).inputValue(), 'true')
  },
)

test(
  'what the agent does not answer is taken back, and by leaving the page too',
  MORE_BROWSER_TEST,
  async () => {
    await using console = await openRun()
    console.allowFaults(/ERR_FAILED/)
    const { page } = console
    const jobs = async () => ((await (await agent()).call('/api/jobs?q=taken')).data as unknown[]).length
    await page.route('**/api/jobs/execute/cmd', route => route.abort())
    await command(page).fill('echo taken back')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('button', { name: 'Do not send it' }).click()
    await page.getByText('It is not sent any more').waitFor()
    await page.getByText('it may have been run').waitFor()
    await page.unroute('**/api/jobs/execute/cmd')
    await page.route('**/api/jobs/execute/cmd', () => {})
    const sent = page.waitForEvent('request', request => request.method() === 'POST')
    await page.getByRole('button', { name: 'Try again' }).click()
    const takenBack = page.waitForEvent('requestfailed', {
      predicate: async request => request === (await sent),
      timeout: 10_000,
    })
    await sent
    await page.getByRole('link', { name: 'Jobs', exact: true }).click()
    await takenBack
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor()
    await page.unroute('**/api/jobs/execute/cmd')
    await page.goBack()
    await page.getByText('it may have been run').waitFor()
    assert.equal(await jobs(), 0)
    await page.getByRole('button', { name: 'Try again' }).click()
    assert.equal((await endedJob(page)).stdout, 'taken back\n')
    assert.equal(await jobs(), 1)
  },
)

test(
  'when all slots are taken, that is told, and another try works when one is free',
  MORE_BROWSER_TEST,
  async () => {
    const one = await agent()
    const busy = [0, 1].map(() => one.execute({ cmd: 'sleep 1000', async: true }))
    const ids = (await Promise.all(busy)).map(({ id }) => id)
    await using console = await openRun()
    console.allowFaults(/429/)
    const { page } = console
    await command(page).fill('echo now')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText(/2 jobs are running/).waitFor()
    for (const id of ids) await one.call(`/api/jobs/${id}/cancel`, { method: 'POST' })
    await page.getByRole('button', { name: 'Try again' }).click()
    assert.equal((await endedJob(page)).stdout, 'now\n')
  },
)

test(
  'a job that is run again comes with what the agent keeps of it, and the form is kept while one looks elsewhere',
  MORE_BROWSER_TEST,
  async () => {
    const { id } = await (await agent()).execute({
      cmd: 'echo \u202eagain',
      params: 'x',
      labels: { env: 'prod' },
      limits: { nice: 5 },
      timeout: '1m',
    })
    await using console = await openRun({ at: `/run?from=${id}` })
    const { page } = console
    await page.getByText('does not keep the directory').waitFor()
    assert.equal(await command(page).inputValue(), 'echo \u202eagain')
    await page.getByText('It has invisible characters').waitFor()
    await command(page).fill('echo changed')
    await page.getByRole('link', { name: 'Jobs', exact: true }).click()
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
    await page.goBack()
    assert.equal(await command(page).inputValue(), 'echo changed')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    const job = await endedJob(page)
    assert.equal(job.stdout, 'changed x\n')
    assert.deepEqual(job.labels, { env: 'prod' })
    assert.deepEqual(job.limits, { openFiles: 512, nice: 5 })
    assert.notEqual(job.id, id)
  },
)

test('lines of NAME=value that are pasted into a name become variables', MORE_BROWSER_TEST, async () => {
  await using console = await openRun()
  const { page } = console
  await page.getByRole('button', { name: 'Add a variable' }).click()
  await page.evaluate(() => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', 'A=1\n# no\nB=two words\n')
    document.activeElement!.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    )
  })
  await page.getByLabel('Environment: name 2').waitFor()
  assert.equal(await page.getByLabel('Environment: name 1').inputValue(), 'A')
  assert.equal(await page.getByLabel('Environment: value 2').inputValue(), 'two words')
  await page.getByRole('button', { name: 'Remove: A' }).click()
  assert.equal(await page.getByLabel('Environment: name 1').inputValue(), 'B')
  await page.getByRole('button', { name: 'Add a variable' }).and(page.locator(':focus')).waitFor()
})

test(
  'what was typed is copied as a curl that submits the same, signed as one has signed in',
  MORE_BROWSER_TEST,
  async () => {
    await using console = await openRun({ permissions: ['clipboard-read', 'clipboard-write'] })
    const { page } = console
    await command(page).fill("echo 'it is'")
    await page.getByLabel('Timeout').fill('5s')
    await page.getByRole('button', { name: 'Copy as curl' }).click()
    await page.getByText('Copied').waitFor()
    await page.getByText('signed by newdt sign').waitFor()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    const PATH = `${join(ROOT, 'runtime')}:${process.env.PATH}`
    const env = { PATH, HOME: tmpdir(), NEWDT_SECRET: SECRET }
    const { stdout } = await promisify(execFile)('bash', ['-c', copied], { env })
    assert.equal(JSON.parse(stdout).data.stdout, 'it is\n')
  },
)

test(
  'a key that is held to some commands chooses among them, and is told its bounds',
  BROWSER_TEST,
  async () => {
    await using console = await openRun({ secret: BOUNDED })
    const { page } = console
    const commands = page.getByRole('combobox', { name: 'Command' })
    await commands.and(page.locator(':focus')).waitFor()
    assert.deepEqual(await commands.locator('option').allTextContents(), ['Choose one', 'date -u', 'uptime'])
    for (const label of ['Params', 'Directory', 'Add a variable', 'Script'])
      assert.equal(
        await page
          .getByLabel(label)
          .or(page.getByRole('button', { name: label }))
          .count(),
        0,
        label,
      )
    assert.equal(await page.getByLabel('Timeout').getAttribute('placeholder'), '1 min')
    assert.deepEqual(await findBarriers(page), [])
    await commands.selectOption('date -u')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    assert.match(String((await endedJob(page)).stdout), /UTC/)
    await page.getByRole('link', { name: 'Agent', exact: true }).click()
    for (const told of ['date -u', '1 min, also of a job that asks for none', '2 of its jobs'])
      await page.getByText(told, { exact: true }).waitFor()
  },
)

test(
  'that something was copied is told as long as the last time, whatever came before',
  MORE_BROWSER_TEST,
  async () => {
    await using console = await openRun({ permissions: ['clipboard-read', 'clipboard-write'] })
    const { page } = console
    const copied = page.locator('.copy', { hasText: 'Copy as curl' }).getByRole('status')
    await page.clock.install()
    await page.clock.pauseAt(Date.now() + 10_000)
    const copy = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Copy as curl' }).click()
      await copied.filter({ hasText: 'Copied' }).waitFor()
    }
    await copy()
    await page.clock.runFor(2000)
    await copy()
    await page.clock.runFor(1000)
    assert.equal(await copied.textContent(), 'Copied')
    await page.clock.runFor(2000)
    assert.equal(await copied.textContent(), '')
  },
)

test('a key that may not run jobs is told so, and has no form', MORE_BROWSER_TEST, async () => {
  await using console = await openRun({ secret: READER })
  const { page } = console
  await page.getByText('This key may not run jobs.').waitFor()
  assert.equal(await page.getByRole('textbox').count(), 0)
})

test('the page has no barrier, light, dark and narrow, with everything open', BROWSER_TEST, async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await using console = await openRun({ colorScheme, viewport: { width: 360, height: 640 } })
    const { page } = console
    await command(page).fill('for f in *; do echo "$f" > /tmp/x; done # all')
    await page.getByRole('button', { name: 'Add a variable' }).click()
    await page.getByRole('button', { name: 'Add a label' }).click()
    for (const summary of await page.locator('.run summary').all()) await summary.click()
    assert.deepEqual(await findBarriers(page), [])
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0)
    await page.getByRole('radio', { name: 'Script' }).check({ force: true })
    await waitFor('the script is there', () => page.getByLabel('Content').isVisible())
    assert.deepEqual(await findBarriers(page), [])
  }
})

test('what was cleared by mistake comes back', MORE_BROWSER_TEST, async () => {
  await using console = await openRun()
  const { page } = console
  await command(page).fill('a long command')
  await page.getByRole('button', { name: 'Clear' }).click()
  assert.equal(await command(page).inputValue(), '')
  await page.getByRole('button', { name: 'Bring it back' }).click()
  assert.equal(await command(page).inputValue(), 'a long command')
})

test('keys that are held submit what is refused once', MORE_BROWSER_TEST, async () => {
  await using console = await openRun()
  console.allowFaults(/400/)
  const { page } = console
  let count = 0
  page.on('request', request => {
    if (request.url().endsWith('/execute/cmd')) count++
  })
  await command(page).fill('true')
  await page.getByLabel('Timeout').fill('soon')
  await page.keyboard.down('Control')
  await page.keyboard.down('Enter')
  await page.getByText(/timeout must be/).waitFor()
  for (let repeated = 0; repeated < 3; repeated++) await page.keyboard.down('Enter')
  await page.keyboard.up('Enter')
  await page.keyboard.up('Control')
  const run = page
    .getByRole('button', { name: 'Run', exact: true })
    .and(page.locator('[aria-disabled=false]'))
  await run.click()
  await waitFor('it was asked for again', () => count > 1)
  assert.equal(count, 2)
})

test('keys that are held run one job', MORE_BROWSER_TEST, async () => {
  await using console = await openRun()
  const { page } = console
  await command(page).fill('echo held')
  await page.keyboard.down('Control')
  for (let count = 0; count < 5; count++) await page.keyboard.down('Enter')
  assert.equal((await endedJob(page)).stdout, 'held\n')
  const { data } = await (await agent()).call('/api/jobs?q=held')
  assert.equal((data as unknown[]).length, 1)
})
