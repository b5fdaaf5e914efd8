import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { SECRET } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'
import { BROWSER_TEST, launchBrowser, MORE_BROWSER_TEST } from './support/browser.ts'
import { openSignIn, signIn } from './support/console-page.ts'
import { findBarriersLightAndDark } from './support/find-barriers.ts'
import { oneAgent } from './support/one-agent.ts'
import { startPathProxy } from './support/path-proxy.ts'
import { DEFAULT_KEY, writeKeys } from './support/write-keys.ts'

const BOB = 'the-secret-of-bob-0123456'
const RUNNER = 'the-secret-of-runner-0123'

const browser = launchBrowser()
const agent = oneAgent({
  env: {
    AGENT_KEYS_FILE: writeKeys([
      DEFAULT_KEY,
      { id: 'bob', rights: ['read'], secret: BOB },
      { id: 'runner', rights: ['run'], secret: RUNNER },
    ]),
  },
})

const fieldOf = (page: Page) => page.locator('input[type=password]')

const waitForFault = (page: Page, pattern: RegExp) =>
  waitFor(
    'the fault is shown',
    async () => pattern.test((await page.getByRole('alert').textContent()) ?? '') || undefined,
  )

/** The page for signing in, as one finds it. */
const waitForForm = (page: Page) => page.locator('form').waitFor()

test(
  'one types the secret and presses Enter, and it is nowhere but in the memory of the page',
  BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await using console = await openSignIn(await browser(), url)
    const { page } = console
    await fieldOf(page).fill(SECRET)
    await fieldOf(page).press('Enter')
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
    const kept = await page.evaluate(() => [
      JSON.stringify({ ...sessionStorage }),
      JSON.stringify({ ...localStorage }),
      document.cookie,
      location.href,
      document.documentElement.outerHTML,
    ])
    for (const place of kept) assert.ok(!place.includes(SECRET))
    await page.reload()
    await waitForForm(page)
  },
)

test('what is to be remembered is there after a reload, until one signs out', BROWSER_TEST, async () => {
  const { url } = await agent()
  await using console = await openSignIn(await browser(), url)
  const { page } = console
  await page.getByLabel('Remember').check()
  await signIn(page)
  await page.reload()
  await page.locator('.shell').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.reload()
  await waitForForm(page)
  assert.equal(await page.evaluate(() => sessionStorage.length), 0)
})

test(
  'what is remembered is tried on while the agent cannot be reached, and gone when another has signed in',
  MORE_BROWSER_TEST,
  async () => {
    const { url } = await agent()
    await using console = await openSignIn(await browser(), url)
    console.allowFaults(/ERR_FAILED/)
    const { page } = console
    await page.getByLabel('Remember').check()
    await signIn(page)
    const reloadWithoutAgent = async () => {
      await page.route('**/api/**', route => route.abort())
      await page.reload()
      await page.getByText('The agent cannot be reached').waitFor()
    }

    await reloadWithoutAgent()
    await page.unroute('**/api/**')
    await page.locator('.shell').waitFor()

    await reloadWithoutAgent()
    await page.getByRole('button', { name: 'Sign in with something else' }).click()
    await page.unroute('**/api/**')
    await signIn(page, BOB)
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
    await page.reload()
    await waitForForm(page)
  },
)

test('what is remembered but not good any more is told, and forgotten', MORE_BROWSER_TEST, async () => {
  const { url } = await agent()
  await using console = await openSignIn(await browser(), url)
  console.allowFaults(/401/)
  const { page } = console
  for (const [kept, fault] of [
    [JSON.stringify({ credentials: { secret: 'no longer', signature: 'contract' } }), /No key/],
    ['{', /^$/],
    ['{"credentials":5}', /^$/],
  ] as const) {
    await page.evaluate(kept => sessionStorage.setItem('newdt-credentials /', kept), kept)
    await page.reload()
    await waitForForm(page)
    await waitForFault(page, fault)
  }
  await signIn(page)
  assert.equal(await page.evaluate(() => sessionStorage.length), 0)
})

test('behind a proxy, what is remembered for one agent is not sent to another', BROWSER_TEST, async () => {
  const { url } = await agent()
  await using proxy = await startPathProxy(url, '/agents/db1/')
  await using console = await openSignIn(await browser(), proxy.url)
  const { page } = console
  await page.getByLabel('Remember').check()
  await signIn(page)
  const other = proxy.url.replace('db1', 'db2')
  const asked: string[] = []
  await page.route(`${other}**`, route => {
    asked.push(route.request().url())
    return route.continue({ url: route.request().url().replace('db2', 'db1') })
  })
  await page.goto(other)
  await waitForForm(page)
  assert.ok(asked.length > 0)
  assert.deepEqual(
    asked.filter(address => address.includes('/api/')),
    [],
  )
})

test(
  'a wrong secret is told with what to do, and in the words of the agent, in the language of the browser',
  BROWSER_TEST,
  async () => {
    const { url } = await agent()
    for (const [locale, message] of [
      ['en-US', /No key of this agent has this secret.*the signature is wrong/],
      ['zh-CN', /没有使用这个 secret 的密钥.*签名无效/],
    ] as const) {
      await using console = await openSignIn(await browser(), url, { locale })
      console.allowFaults(/401/)
      const { page } = console
      await fieldOf(page).fill('wrong')
      await fieldOf(page).press('Enter')
      await waitForFault(page, message)
      assert.equal(await page.evaluate(() => document.documentElement.lang), locale.slice(0, 2))
    }
  },
)

test('text is taken for what it looks like, until one has chosen', MORE_BROWSER_TEST, async () => {
  const { url } = await agent()
  await using console = await openSignIn(await browser(), url)
  console.allowFaults(/40[13]/)
  const { page } = console
  const [token, secret] = [
    page.getByLabel('Token', { exact: true }),
    page.getByLabel('Secret', { exact: true }),
  ]
  const made = `nda_${'a'.repeat(43)}`
  for (const [text, isToken] of [
    ['', false],
    ['nda_secret', false],
    [made, true],
    [`${made}a`, false],
  ] as const) {
    await fieldOf(page).fill(text)
    assert.equal(await token.first().isChecked(), isToken, text)
  }
  await secret.first().click() // Where it is already; it is a choice all the same.
  await fieldOf(page).fill(made)
  assert.ok(await secret.first().isChecked())

  await token.first().check()
  await fieldOf(page).fill('中文')
  await fieldOf(page).press('Enter')
  await waitForFault(page, /cannot be a token/)
  await fieldOf(page).fill(made)
  await fieldOf(page).press('Enter')
  await waitForFault(page, /No key of this agent has this token.*the token is wrong/)

  await secret.first().check()
  await fieldOf(page).fill(RUNNER)
  await fieldOf(page).press('Enter')
  await waitForFault(page, /needs a key with the right “read”/)
})

test('a strict agent below a path is asked with no other signature', MORE_BROWSER_TEST, async () => {
  const { url } = await agent()
  await using proxy = await startPathProxy(url, '/agents/db1/')
  await using console = await openSignIn(await browser(), proxy.url)
  console.allowFaults(/401/)
  const { page } = console
  await page.route('**/api/agent', route =>
    route.fulfill({
      status: 401,
      json: { code: 1, success: false, msg: 'strict', error: 'credential-too-weak', data: null },
    }),
  )
  await fieldOf(page).fill(SECRET)
  await fieldOf(page).press('Enter')
  await waitForFault(page, /A token is needed here/)
  assert.equal(await page.locator('input:not([type])').count(), 0)
})

test('the page for signing in has no barrier, light and dark', BROWSER_TEST, async () => {
  const { url } = await agent()
  await using console = await openSignIn(await browser(), url)
  const { page } = console
  await waitForForm(page)
  assert.deepEqual(await findBarriersLightAndDark(page), [])
})
