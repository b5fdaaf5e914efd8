import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { highlight } from '../../../../runtime/console/run/highlight.ts'

test('words of a shell and of Python are told apart', () => {
  const typeOf = (text: string, part: string, language: 'shell' | 'python') =>
    highlight(text, language)?.find(token => token.text.includes(part))?.type
  assert.equal(typeOf('if true; then echo "a $b"; fi # end', 'then', 'shell'), 'kwd')
  assert.equal(typeOf('if true; then echo "a $b"; fi # end', '$b', 'shell'), 'var')
  assert.equal(typeOf('if true; then echo "a $b"; fi # end', '# end', 'shell'), 'cmnt')
  assert.equal(typeOf('def main(): pass', 'def', 'python'), 'kwd')
  assert.equal(typeOf('def main(): pass', 'main', 'python'), 'func')
})

test('the tokens of any text are the text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(
        ...['"', "'", '$', '{', '}', '(', ')', '#', '\\', '\n', ' ', 'f', 'if', '=', '1'],
      ),
      maxLength: 200,
    }),
  )
  fc.assert(
    fc.property(text, fc.constantFrom('shell', 'python'), (text, language) => {
      const tokens = highlight(text, language)
      assert.equal(tokens?.map(({ text }) => text).join(''), text)
    }),
  )
})

test('a text that would take long is left as it is', () => {
  for (const text of ['x '.repeat(500_000), 'a'.repeat(5000), `echo${' '.repeat(5000)}`])
    for (const language of ['shell', 'python'] as const) assert.equal(highlight(text, language), undefined)
})
