import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sink } from '../../../runtime/cli/sink.ts'
import { renderTable } from '../../../runtime/cli/table.ts'

const sink = (columns?: number, hasColours = false): Sink => ({
  async write() {},
  isTerminal: columns !== undefined,
  columns: () => columns,
  colour: (format, text) => (hasColours ? `<${format}>${text}</>` : text),
})
const COLUMNS = [
  { head: 'ID', text: (row: string[]) => row[0]! },
  { head: 'STATE', text: (row: string[]) => row[1]!, colour: () => 'red' as const },
  { head: 'COMMAND', text: (row: string[]) => row[2]! },
]

test('columns stand below their heads, and nothing trails', () => {
  const rows = [
    ['a', 'running', 'x\ny'],
    ['long-id', 'ok', ''],
  ]
  assert.equal(
    renderTable(rows, COLUMNS, sink()),
    'ID       STATE    COMMAND\na        running  x\\ny\nlong-id  ok\n',
  )
  assert.equal(renderTable([], COLUMNS, sink()), 'ID  STATE  COMMAND\n')
})

test('on a terminal no line is longer than it is wide, colours not counted', () => {
  const rows = [['a', 'running', 'x'.repeat(100)]]
  const [head, line] = renderTable(rows, COLUMNS, sink(40, true)).split('\n')
  assert.equal(head, '<bold>ID</>  <bold>STATE  </>  <bold>COMMAND</>')
  assert.equal(line, `a   <red>running</>  ${'x'.repeat(26)}…`)
  assert.equal(renderTable(rows, COLUMNS, sink(5)).split('\n')[1]!.length, 4 + 9 + 10)
})

test('a table may have more rows than a stack holds', () => {
  const rows = Array.from({ length: 200_000 }, () => ['a', 'b', 'c'])
  assert.equal(renderTable(rows, COLUMNS, sink()).split('\n').length, 200_002)
})
