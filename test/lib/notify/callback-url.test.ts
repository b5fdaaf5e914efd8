import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callbackUrl, LONGEST_URL, withoutQuery } from '../../../lib/notify/callback-url.ts'

test('a URL is normalized: its host, its port, and addresses that are written oddly', () => {
  for (const [text, href] of [
    ['HTTPS://CI.Example.COM:443/a b?x=1#part', 'https://ci.example.com/a%20b?x=1'],
    ['http://0x7f.1/', 'http://127.0.0.1/'],
    ['http://2130706433', 'http://127.0.0.1/'],
    ['http://127.0.0.1./', 'http://127.0.0.1/'],
    ['http://[::FFFF:127.0.0.1]/', 'http://[::ffff:7f00:1]/'],
    ['http://１２７.0.0.1/', 'http://127.0.0.1/'],
  ])
    assert.equal(callbackUrl(text!)?.href, href)
})

test('what is no URL to be called is refused', () => {
  for (const text of [
    ...['', 'ci.example.com', '/done', 'ftp://a/', 'file:///etc/passwd', 'javascript:1', 'http://'],
    ...['http://user@a/', 'http://user:password@a/', 'http://:password@a/', 'http://a b/', 'http://[::1/'],
    `http://a/${'x'.repeat(LONGEST_URL)}`,
    `http://a/${'汉'.repeat(LONGEST_URL / 9)}`,
  ])
    assert.equal(callbackUrl(text), undefined, text)
})

test('a URL that is as long as it may be when it is called is taken', () => {
  const text = `http://a/${'汉'.repeat(226)}${'x'.repeat(5)}`
  assert.equal(callbackUrl(text)?.href.length, LONGEST_URL)
  assert.equal(callbackUrl(`${text}x`), undefined)
})

test('a query is left out where a URL is shown', () => {
  assert.equal(withoutQuery('https://a/b?token=1#c'), 'https://a/b')
  assert.equal(withoutQuery('https://a/b'), 'https://a/b')
})
