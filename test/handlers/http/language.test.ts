import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { languageOf } from '../../../handlers/http/language.ts'

for (const [header, language] of [
  [undefined, 'zh'],
  [null, 'zh'],
  ['', 'zh'],
  ['*', 'zh'],
  ['en', 'en'],
  ['EN-gb', 'en'],
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
  ['en-US,en;q=0.9,zh;q=0.8', 'en'],
  ['en;q=0.5, zh;q=0.7', 'zh'],
  ['zh;q=0.1 , en ; q=0.2', 'en'],
  ['fr, de;q=0.9, en;q=0.1', 'en'],
  ['zh, en', 'zh'],
  ['en, zh', 'en'],
  ['en;q=0', 'zh'],
  ['en;q=x', 'zh'],
  ['english', 'zh'],
] as const) {
  test(`Accept-Language "${header}" is answered in ${language}`, () => {
    assert.equal(languageOf(header), language)
  })
}

test('any header has a language', () =>
  fc.assert(fc.property(fc.string(), header => assert.match(languageOf(header), /^(zh|en)$/))))
