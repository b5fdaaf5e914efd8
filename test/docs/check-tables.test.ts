import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkTables } from './check-tables.ts'
import { parsePage } from './parse-page.ts'

const faultsOf = (...lines: string[]): string[] => checkTables(parsePage('docs/api.md', lines.join('\n')))

describe('a table', () => {
  test('may have a hundred columns', () => {
    assert.deepEqual(faultsOf('| a | b |', '| - | - |', `| ${'x'.repeat(92)} | y |`), [])
  })

  test('may not have more; its widest line is told', () => {
    const [fault, ...more] = faultsOf('', '| a | b |', '| - | - |', `| ${'x'.repeat(93)} | y |`, '| c | d |')
    assert.match(fault!, /^docs\/api\.md:4: a table has 101 columns, more than 100: \| x+…$/)
    assert.deepEqual(more, [])
  })

  test('is as wide as a terminal shows it: a Chinese character takes two columns', () => {
    assert.deepEqual(faultsOf('| a | b |', '| - | - |', `| ${'宽'.repeat(46)} | y |`), [])
    assert.match(faultsOf('| a | b |', '| - | - |', `| ${'宽'.repeat(46)}！ | y |`)[0]!, /has 102 columns/)
  })

  test('is not what else is wide', () => {
    assert.deepEqual(faultsOf('x'.repeat(200), '', '```text', `| ${'x'.repeat(200)} |`, '```'), [])
  })
})
