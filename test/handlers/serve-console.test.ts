import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { ConsoleFile, ConsoleService } from '../../handlers/services.ts'
import { assertRefused, createFake, signed, unsigned } from './fake-services.ts'

const file = (text: string, type: string, isPage = false): ConsoleFile => ({
  type,
  isPage,
  bytes: new TextEncoder().encode(text),
  gzipped: new Uint8Array(gzipSync(text)),
})

const FILES: Record<string, ConsoleFile> = {
  '': file('<h1>newdt</h1>', 'text/html; charset=utf-8', true),
  '0123/lib/a.ts': file('export const a = 1', 'text/javascript; charset=utf-8'),
}

const CONSOLE: ConsoleService = { find: async path => FILES[path] }

/** Not by `ask`, which has each answer checked against the description of the API. */
const get = async (path: string, init: RequestInit = {}, fake = createFake({ console: CONSOLE })) => {
  const response = await fake.open(unsigned(path, init))
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() }
}

test('the page and its files need no signature, and the page is asked for anew each time', async () => {
  for (const [path, text, type, cache] of [
    ['/', '<h1>newdt</h1>', 'text/html; charset=utf-8', 'no-cache'],
    ['/console/0123/lib/a.ts', 'export const a = 1', 'text/javascript; charset=utf-8', /immutable/],
  ] as const) {
    const answer = await get(path)
    assert.deepEqual([answer.status, answer.text], [200, text])
    assert.equal(answer.headers.get('content-type'), type)
    assert.equal(answer.headers.get('content-length'), String(text.length))
    assert.match(answer.headers.get('cache-control') ?? '', new RegExp(cache))
  }
})

test('nothing that is not of the agent is loaded, and no text can become markup', async () => {
  const { headers } = await get('/')
  const policy = new Map(
    headers
      .get('content-security-policy')!
      .split('; ')
      .map(directive => [
        directive.slice(0, directive.indexOf(' ')),
        directive.slice(directive.indexOf(' ') + 1),
      ]),
  )
  for (const [directive, value] of Object.entries({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self'",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  })) {
    assert.equal(policy.get(directive), value)
  }
})

test('no other page holds on to its window, and none that it leads to is told where one was', async () => {
  const { headers } = await get('/')
  assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
})

test('who takes gzip gets it', async () => {
  for (const accept of ['gzip', 'br, gzip', 'gzip;q=0.5, *;q=0', '*']) {
    const { headers, bytes } = await get('/', { headers: { 'accept-encoding': accept } })
    assert.equal(headers.get('content-encoding'), 'gzip', accept)
    assert.equal(gunzipSync(bytes).toString(), '<h1>newdt</h1>')
  }
  for (const accept of ['', 'br', 'identity', 'gzip;q=0', 'gzip; q=0.000, br', 'xgzip']) {
    const { headers, text } = await get('/', { headers: { 'accept-encoding': accept } })
    assert.deepEqual([headers.get('content-encoding'), text], [null, '<h1>newdt</h1>'], accept)
    assert.equal(headers.get('vary'), 'Accept-Encoding')
  }
})

test('HEAD gets no body', async () => {
  const { status, text, headers } = await get('/', { method: 'HEAD' })
  assert.deepEqual([status, text], [200, ''])
  assert.equal(headers.get('content-length'), '14')
})

test('a file that is none is 404, whoever asks', async () => {
  for (const path of ['/console/0123/lib/b.ts', '/console/0123', '/console/%2e%2e/%2e%2e/etc/passwd'])
    assert.equal((await get(path)).status, path.includes('%') ? 401 : 404, path)
})

test('it takes no other method, and where it is off there is nothing', async () => {
  const fake = createFake({ console: CONSOLE })
  const response = await fake.open(signed('/', { method: 'POST' }))
  assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD'])
  await assertRefused(createFake(), unsigned('/'), 401, '缺少签名')
  for (const path of ['/', '/console/0123/lib/a.ts'])
    await assertRefused(createFake(), signed(path), 404, '接口不存在')
})
