import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createScreen } from './screen.ts'

const shown = (columns: number, ...texts: string[]): string[] => {
  const screen = createScreen(columns)
  for (const text of texts) screen.write(text, 0)
  return screen.rows.map(cells => cells.map(({ character }) => character).join(''))
}

describe('a screen', () => {
  test('shows lines, and wraps those that are too long', () => {
    assert.deepEqual(shown(80, 'one\r\ntwo\r\n'), ['one', 'two', ''])
    assert.deepEqual(shown(4, 'fourth\r\n'), ['four', 'th', ''])
    assert.deepEqual(shown(4, 'four\r\nfive'), ['four', 'five'])
    assert.deepEqual(shown(80, 'a\tb'), ['a       b'])
  })

  test('shows what was written last', () => {
    assert.deepEqual(shown(80, '10%\r100%'), ['100%'])
    assert.deepEqual(shown(80, 'running\r\x1b[Kdone'), ['done'])
    assert.deepEqual(shown(80, 'one\r\ntwo\r\n\x1b[2Athree\x1b[J'), ['three'])
    assert.deepEqual(shown(80, 'one\x1b[2K\x1b[Gto'), ['to'])
  })

  test('shows no control sequences', () => {
    assert.deepEqual(shown(80, '\x1b[?25l\x1b]0;title\x07\x1b(Bone\x1b[?25h\x07'), ['one'])
  })

  test('knows colours', () => {
    const screen = createScreen(80)
    screen.write('a\x1b[1;31mb\x1b[22;92mc\x1b[2;39md\x1b[me', 7)
    assert.deepEqual(
      screen.rows[0]!.map(({ character, atMs, style }) => ({ character, atMs, ...style })),
      [
        { character: 'a', atMs: 7, bold: false, dim: false, color: undefined },
        { character: 'b', atMs: 7, bold: true, dim: false, color: 1 },
        { character: 'c', atMs: 7, bold: false, dim: false, color: 10 },
        { character: 'd', atMs: 7, bold: false, dim: true, color: undefined },
        { character: 'e', atMs: 7, bold: false, dim: false, color: undefined },
      ],
    )
  })
})
