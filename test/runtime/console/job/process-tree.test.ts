import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { treeOf } from '../../../../runtime/console/job/process-tree.ts'

const process = (pid: number, parent: number) => ({
  pid,
  parent,
  state: 'S',
  command: `p${pid}`,
  cpu: { user: 0, system: 0 },
  residentBytes: 0,
})

const shape = (pairs: [pid: number, parent: number][]): string[] =>
  treeOf(pairs.map(([pid, parent]) => process(pid, parent))).map(
    ({ process, depth }) => `${' '.repeat(depth)}${process.pid}`,
  )

test('each process stands below its parent, those of one parent by their pids', () => {
  assert.deepEqual(
    shape([
      [30, 10],
      [20, 10],
      [10, 1],
      [25, 20],
      [40, 7],
    ]),
    ['10', ' 20', '  25', ' 30', '40'],
  )
})

test('whatever the parents are, each process is there once', () => {
  const pid = fc.integer({ min: 1, max: 12 })
  const processes = fc.uniqueArray(fc.tuple(pid, pid), { selector: ([own]) => own })
  fc.assert(
    fc.property(processes, pairs => {
      const pids = shape(pairs).map(Number)
      assert.deepEqual(
        pids.toSorted((a, b) => a - b),
        pairs.map(([own]) => own).toSorted((a, b) => a - b),
      )
    }),
  )
})

test('a chain of many thousand processes is no trouble', () => {
  const chain = Array.from({ length: 50_000 }, (_, index): [number, number] => [index + 2, index + 1])
  assert.equal(shape(chain).length, chain.length)
})
