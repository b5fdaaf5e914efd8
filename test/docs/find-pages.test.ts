import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../support/scratch.ts'
import { findAllPages, findPages, originalOf, twinOf } from './find-pages.ts'

test('pages are the READMEs, the policy and what is in docs', () => {
  const root = scratchDirectory()
  mkdirSync(join(root, 'docs'))
  const twins = ['README.zh-CN.md', 'docs/api.zh-CN.md']
  const originals = ['README.md', 'SECURITY.md', 'docs/api.md']
  for (const path of [...twins, ...originals, 'CHANGES.md', 'docs/alerts.yml'])
    writeFileSync(join(root, path), '')
  assert.deepEqual(findPages(root), originals)
  assert.deepEqual(findAllPages(root), [...originals, ...twins].sort())
  assert.equal(twinOf('docs/api.md'), 'docs/api.zh-CN.md')
  assert.equal(originalOf('docs/api.zh-CN.md'), 'docs/api.md')
})
