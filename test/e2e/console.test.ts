import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createHome, type RunningAgent, startAgent } from '../support/agent.ts'
import { linksOf } from '../support/console-links.ts'

const home = createHome()
let agent: RunningAgent
before(async () => {
  agent = await startAgent(home)
})
after(() => agent.end())

test('the page and everything that it links to come without a signature, and may be kept', async () => {
  const page = await fetch(`${agent.url}/`)
  assert.equal(page.status, 200)
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self';/)
  const links = linksOf(await page.text())
  assert.ok(links.length > 30)
  for (const link of links) {
    const file = await fetch(new URL(link, page.url))
    assert.equal(file.status, 200, link)
    assert.match(file.headers.get('cache-control') ?? '', /immutable/)
    assert.match(
      file.headers.get('content-type') ?? '',
      /^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/,
    )
    assert.equal(file.headers.get('x-content-type-options'), 'nosniff')
    assert.notEqual((await file.arrayBuffer()).byteLength, 0)
  }
})

test('a hundred who ask at once get the same page', async () => {
  const pages = await Promise.all(Array.from({ length: 100 }, async () => (await fetch(agent.url)).text()))
  assert.equal(new Set(pages).size, 1)
})

test('nothing of it is said on standard error', () => {
  assert.equal(agent.output().stderr, '')
})

test('where address space is short, nobody gets the console, and the agent goes on', async () => {
  const other = createHome()
  const small = await startAgent(other)
  const [, kilobytes] = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${small.pid}/status`, 'utf8'))!
  execFileSync('prlimit', ['--pid', String(small.pid), `--as=${Number(kilobytes) * 1024 + (100 << 20)}`])
  const { status } = await fetch(small.url)
  assert.ok(status === 500 || status === 200, String(status))
  assert.equal((await small.execute({ cmd: 'echo on' })).stdout, 'on\n')
  await small.end()
  await other.assertClean()
})

test('with AGENT_CONSOLE=off there is none', async () => {
  const other = createHome()
  const without = await startAgent(other, { env: { AGENT_CONSOLE: 'off' } })
  assert.equal((await fetch(without.url)).status, 401)
  assert.equal((await without.fetch('/console/x')).status, 404)
  await without.end()
  await other.assertClean()
})
