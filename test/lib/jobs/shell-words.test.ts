import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { splitWords } from '../../../lib/jobs/shell-words.ts'

/**
 * What bash makes of each line, in one process. In `words=( … )` a newline is a blank, as it is for splitWords.
 * The answer to a line is the number of its words and the words, each ended by a NUL; a line with a quote left
 * open is a syntax error, answered with "open".
 */
const BASH = `
  while IFS= read -r -d '' line; do
    words=()
    if eval "words=( $line
)" 2>/dev/null; then printf '%s\\0' "\${#words[@]}" "\${words[@]}"; else printf 'open\\0'; fi
  done`

const bashWords = (lines: string[]): (string[] | undefined)[] => {
  const input = lines.map(line => `${line}\0`).join('')
  const fields = execFileSync('bash', ['-c', BASH], { input, encoding: 'utf8' }).split('\0')
  let next = 0
  return lines.map(() => {
    const count = fields[next++]
    if (count === 'open') return undefined
    const words = fields.slice(next, next + Number(count))
    next += Number(count)
    return words
  })
}

const sameAsBash = (lines: string[]): void => {
  const expected = bashWords(lines)
  for (const [index, line] of lines.entries()) {
    assert.deepEqual(splitWords(line), expected[index], JSON.stringify(line))
  }
}

const joined = (part: fc.Arbitrary<string>, maxLength = 8) =>
  fc.array(part, { maxLength }).map(parts => parts.join(''))

const letter = fc.constantFrom('a', 'b', 'Z', '7', 'é', '中', '😀', '\r')
const blank = fc.constantFrom(' ', '\t', '\n')
const operator = fc.constantFrom(...';&|<>()*?[]{}~#!=%')
const single = joined(fc.oneof(letter, blank, operator, fc.constantFrom('"', '\\', '$', '`'))).map(
  t => `'${t}'`,
)
const inDouble = fc.oneof(
  letter,
  blank,
  operator.filter(character => character !== '!'),
  fc.constantFrom("'", '\\$', '\\`', '\\"', '\\\\', '\\\n', '\\a', "\\'", '\\ ', '\\中', '$ '),
)
const double = joined(inDouble).map(text => `"${text}"`)
const escaped = fc
  .oneof(letter, blank, operator, fc.constantFrom("'", '"', '\\', '$', '`'))
  .map(t => `\\${t}`)
const closedLine = joined(fc.oneof(letter, blank, single, double, escaped), 12)

test('lines of quotes of every kind are split as bash splits them', () => {
  fc.assert(fc.property(fc.array(closedLine, { minLength: 100, maxLength: 200 }), sameAsBash), {
    numRuns: 20,
  })
})

test('a line of quotes and backslashes in any order is split as bash does, or is open where bash says so', () => {
  const character = fc.oneof(letter, blank, fc.constantFrom("'", '"', '\\'))
  // bash takes a backslash at the very end for itself; see the test below.
  const line = joined(character, 14).map(text => `${text}x`)
  fc.assert(fc.property(fc.array(line, { minLength: 100, maxLength: 200 }), sameAsBash), { numRuns: 20 })
})

test('a backslash at the end, with nothing to escape, is an error', () => {
  fc.assert(
    fc.property(closedLine, line => {
      assert.equal(splitWords(`${line}\\`), undefined)
    }),
  )
})

test('quotes of two kinds meet in one word', () => {
  assert.deepEqual(splitWords(`a'b c'"d e"f\\ g`), ['ab cd ef g'])
  assert.deepEqual(splitWords(`'it'\\''s' "\\$HOME" "\\x"`), ["it's", '$HOME', '\\x'])
})

test('empty quotes are an empty word, and nothing is none', () => {
  assert.deepEqual(splitWords(`'' ""  a''`), ['', '', 'a'])
  for (const line of ['', ' ', '\n\t ', '\\\n', ' \\\n ']) assert.deepEqual(splitWords(line), [], line)
})

test('nothing is expanded and no character is an operator', () => {
  const line = 'a;b && c|d >e $HOME $(id) `id` *.ts ~ {1,2} #f !1 \u3000'
  assert.deepEqual(splitWords(line), line.split(' '))
})

test('an open quote is an error, wherever it opens', () => {
  for (const line of [`'`, `"`, `a 'b`, `a "b\\"`, `'a'"`, `it's`, `"a'b'`]) {
    assert.equal(splitWords(line), undefined, line)
  }
})
