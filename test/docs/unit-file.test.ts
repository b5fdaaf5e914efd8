import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ROOT } from '../support/agent.ts'
import { createReader } from './parse-page.ts'

const UNIT = readFileSync(join(ROOT, 'runtime/package/newdt-auto.service'), 'utf8')

describe('the unit that is shown is the file that is installed', () => {
  const read = createReader(ROOT)
  for (const path of ['docs/deploy.md', 'docs/deploy.zh-CN.md']) {
    test(path, () => {
      const units = read(path).blocks.filter(({ code }) => code.startsWith('[Unit]'))
      assert.deepEqual(
        units.map(({ code }) => `${code}\n`),
        [UNIT],
      )
    })
  }
})
