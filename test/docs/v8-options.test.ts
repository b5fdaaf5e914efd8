import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/agent.ts'

const optionsIn = (text: string): string[] => [...new Set(text.match(/--[\w-]+(=\d+)?/g))].sort()

test('the pages name the options of V8 that the agent is started with, and no others', () => {
  const script = readFileSync(join(ROOT, 'runtime/node.sh'), 'utf8')
  const [start = ''] = /^\[ "\$node" \] && exec[\s\S]*?"\$@"$/m.exec(script) ?? []
  const expected = optionsIn(start).filter(option => option !== '--disable-sigusr1')
  assert.ok(expected.length > 3)
  for (const page of ['docs/deploy.md', 'docs/deploy.zh-CN.md']) {
    const line = readFileSync(join(ROOT, page), 'utf8')
      .split('\n')
      .find(one => one.includes('--max-semi-space-size'))
    assert.deepEqual(optionsIn(line ?? ''), expected, page)
  }
})
