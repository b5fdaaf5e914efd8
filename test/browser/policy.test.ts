import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BROWSER_TEST, launchBrowser } from './support/browser.ts'
import { openConsole } from './support/console-page.ts'
import { oneAgent } from './support/one-agent.ts'
import { startPathProxy } from './support/path-proxy.ts'

const browser = launchBrowser()
const agent = oneAgent()

test('no text becomes markup, no script runs that is not the agent’s own', BROWSER_TEST, async () => {
  await using console = await openConsole(await browser(), (await agent()).url)
  console.allowFaults(/CSP|Trusted|Content Security Policy|Refused|violates/i)
  const tried = await console.page.evaluate(async () => {
    const refused = (act: () => unknown): boolean => {
      try {
        act()
        return false
      } catch {
        return true
      }
    }
    const ran = () => Reflect.get(globalThis, 'ran') as unknown
    const inline = document.createElement('script')
    const foreign = new Image()
    const isForeignRefused = new Promise<boolean>(resolve => {
      foreign.onload = () => resolve(false)
      foreign.onerror = () => resolve(true)
    })
    foreign.src = 'http://127.0.0.1:1/x.png'
    await isForeignRefused // The browser's protocol lets what is evaluated by it evaluate more, at once.
    return {
      innerHTML: refused(() => {
        document.body.innerHTML = '<img src=x onerror="ran = 1">'
      }),
      script: refused(() => {
        inline.textContent = 'ran = 2'
        document.body.append(inline)
      }),
      eval: refused(() => Reflect.get(globalThis, 'eval')('ran = 3')),
      policy: refused(() => Reflect.get(globalThis, 'trustedTypes').createPolicy('any', {})),
      style: (() => {
        const style = document.createElement('style')
        style.textContent = 'body { display: none }'
        document.head.append(style)
        return getComputedStyle(document.body).display !== 'none'
      })(),
      foreign: await isForeignRefused,
      ran: ran(),
    }
  })
  const { ran, ...refused } = tried
  assert.equal(ran, undefined)
  for (const [what, isRefused] of Object.entries(refused)) assert.ok(isRefused, what)
})

test('no other page can have it in a frame', BROWSER_TEST, async () => {
  const { url } = await agent()
  const context = await (await browser()).newContext()
  const page = await context.newPage()
  await page.route('http://elsewhere.test/', route =>
    route.fulfill({ contentType: 'text/html', body: `<iframe src="${url}/"></iframe>` }),
  )
  await page.goto('http://elsewhere.test/')
  const [, frame] = page.frames()
  assert.equal(frame?.url(), 'chrome-error://chromewebdata/')
  await context.close()
})

test('behind a proxy it works below a path', BROWSER_TEST, async () => {
  const { url } = await agent()
  await using proxy = await startPathProxy(url, '/agents/db1/')
  await using console = await openConsole(await browser(), proxy.url, { at: '/run' })
  const { page } = console
  const outside: string[] = []
  page.on('request', request => {
    if (!request.url().startsWith(proxy.url)) outside.push(request.url())
  })
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  const { id } = await (await agent()).execute({ cmd: 'echo below a path' })
  await page.locator(`a[href="#/jobs/${id}"]`).first().click()
  await page.getByText('below a path').first().waitFor()
  assert.deepEqual(outside, [])
})
