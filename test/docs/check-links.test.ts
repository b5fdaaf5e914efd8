import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { scratchDirectory } from '../support/scratch.ts'
import { checkLinks } from './check-links.ts'
import { createReader, parsePage } from './parse-page.ts'

describe('a link', () => {
  const root = scratchDirectory()
  const faultsOf = (path: string, ...lines: string[]): string[] =>
    checkLinks(root, parsePage(path, lines.join('\n\n')), createReader(root))

  before(() => {
    mkdirSync(join(root, 'docs'))
    writeFileSync(join(root, 'README.md'), '# newdt\n')
    writeFileSync(
      join(root, 'docs/api.md'),
      '# API\n\n## When `no slot` is free?\n\n## Again\n\n## Again\n\n<a id="own"></a>\n',
    )
    writeFileSync(join(root, 'docs/api.zh-CN.md'), '# 接口\n\n## 没有空位时：怎么办？\n')
    writeFileSync(join(root, 'docs/alerts.yml'), '')
  })

  test('leads to a file or a directory that is there', () => {
    assert.deepEqual(
      faultsOf('README.md', '[a](docs/api.md) [b](docs/alerts.yml) [c](docs) ![d](docs/alerts.yml)'),
      [],
    )
    assert.deepEqual(
      faultsOf('docs/api.md', '[a](../README.md) [b](https://example.com/none#none) [c](mailto:a@b.c)'),
      [],
    )
    assert.deepEqual(faultsOf('README.md', 'one', '[a](docs/none.md)'), [
      'README.md:3: the link to docs/none.md leads nowhere: there is no docs/none.md',
    ])
    assert.match(
      faultsOf('README.md', '<img src="docs/none.svg">')[0]!,
      /^README\.md:1: .* no docs\/none\.svg$/,
    )
    assert.match(faultsOf('README.md', '[a]', '[a]: docs/none.md')[0]!, /^README\.md:3: /)
    assert.match(faultsOf('README.md', '[a](../other/x.md)')[0]!, /leads nowhere/)
  })

  test('leads to a heading of the page, by the name that GitHub gives it', () => {
    assert.deepEqual(
      faultsOf(
        'README.md',
        '[a](docs/api.md#when-no-slot-is-free) [b](docs/api.md#again-1) [c](docs/api.md#own)',
      ),
      [],
    )
    assert.deepEqual(faultsOf('README.zh-CN.md', '[a](docs/api.zh-CN.md#没有空位时怎么办)'), [])
    assert.deepEqual(
      faultsOf(
        'README.zh-CN.md',
        '[a](docs/api.zh-CN.md#%E6%B2%A1%E6%9C%89%E7%A9%BA%E4%BD%8D%E6%97%B6%E6%80%8E%E4%B9%88%E5%8A%9E)',
      ),
      [],
    )
    assert.deepEqual(faultsOf('docs/x.md', '# Here', '[a](#here)'), [])
    assert.deepEqual(faultsOf('README.md', '[a](docs/api.md#again-2)'), [
      'README.md:1: the link to docs/api.md#again-2 leads to no heading of docs/api.md, which has: #api #when-no-slot-is-free #again #again-1 #own',
    ])
    assert.match(
      faultsOf('docs/x.md', '# Here', '[a](#there)')[0]!,
      /^docs\/x\.md:3: .* no heading of docs\/x\.md/,
    )
  })

  test('leads to a page in the same language where there is one', () => {
    assert.deepEqual(faultsOf('docs/api.md', '[中文](api.zh-CN.md)'), [])
    assert.deepEqual(faultsOf('docs/api.zh-CN.md', '[English](api.md) [README](../README.md)'), [])
    assert.match(faultsOf('README.zh-CN.md', '[a](docs/api.md)')[0]!, /should lead to docs\/api\.zh-CN\.md$/)
    assert.match(faultsOf('README.md', '[a](docs/api.zh-CN.md)')[0]!, /should lead to docs\/api\.md$/)
  })
})
