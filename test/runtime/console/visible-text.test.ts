import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VNode } from 'preact'
import { visibleText } from '../../../runtime/console/visible-text.ts'

/** The text of it, with what is a mark in brackets. */
const shown = (text: string): string =>
  textOf((visibleText(text) as VNode<{ children: unknown }>).props.children)

const textOf = (children: unknown): string => {
  if (Array.isArray(children)) return children.map(textOf).join('')
  return typeof children === 'object' && children !== null
    ? `[${textOf((children as VNode<{ children: unknown }>).props.children)}]`
    : String(children)
}

test('each character that one does not see, or that reorders others, is named in its place', () => {
  for (const [character, name] of [
    ['\u202e', 'U+202E'],
    ['\u2066', 'U+2066'],
    ['\u200b', 'U+200B'],
    ['\ufeff', 'U+FEFF'],
    ['\u00ad', 'U+00AD'],
    ['\u2028', 'U+2028'],
    ['\u2029', 'U+2029'],
    ['\x1b', 'U+001B'],
    ['\r', 'U+000D'],
    ['\x9b', 'U+009B'],
    ['\ue000', 'U+E000'],
    ['\ud800', 'U+D800'],
    ['\u{e0041}', 'U+E0041'],
  ])
    assert.equal(shown(`a${character}${character}b`), `a[${name}][${name}]b`)
})

test('all else stays as it is, tabs and ends of lines too', () => {
  const text = '\tif true; then\n\techo "备份 é 😀 <b>"\n'
  assert.equal(shown(text), text)
  assert.equal(shown(''), '')
})
