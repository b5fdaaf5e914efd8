import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Output } from '../../../../runtime/console/output/output.ts'
import { type Marks, segmentsOf } from '../../../../runtime/console/output/segments.ts'
import {
  channels,
  decorationsOf,
  inkColour,
  type Style,
  TRUE_COLOUR,
} from '../../../../runtime/console/output/style.ts'
import { chunk, outputOf } from './feed-output.ts'

const colourOf = (colour: number): string => {
  if (colour === 0) return ''
  return colour < TRUE_COLOUR ? String(colour - 1) : channels(colour).join(',')
}

const styleName = (style: Style): string =>
  [colourOf(inkColour(style)), style.ground ? `on ${colourOf(style.ground)}` : '', ...decorationsOf(style)]
    .filter(name => name !== '')
    .join(' ')

/** As `text{style}`. */
const describe = (output: Output, index = 0, marks?: Marks): string[] =>
  segmentsOf(output.rows.stdout, index, marks).map(({ text, style, mark, isName }) => {
    const names = [styleName(style), mark === 'none' ? '' : mark, isName ? 'name' : '']
    return `${text}{${names.filter(name => name !== '').join(' ')}}`
  })

const shown = async (...texts: string[]): Promise<string[]> =>
  describe(await outputOf(texts.map(text => chunk('stdout', text))))

test('colours of 16, of 256 and of all, and each decoration', async () => {
  const cases: [parameters: string, style: string][] = [
    ['31', '1'],
    ['97', '15'],
    ['44;30', '0 on 4'],
    ['103', 'on 11'],
    ['38;5;208', '208'],
    ['48;2;1;2;3', 'on 1,2,3'],
    ['38:5:9', '9'],
    ['38:2::1:2:255;1', '1,2,255 bold'],
    ['38:2:1:2:3', '1,2,3'],
    ['1;2;3;4;7;9;53', 'bold dim italic underline reverse strikethrough overline'],
    ['4:3', 'underline'],
    ['4;4:0', ''],
    ['21', 'underline'],
    ['1;22;3;23;9;29;7;27', ''],
    ['31;0', ''],
    ['31;;1', 'bold'],
    ['31;42;39;49;1', 'bold'],
    ['8', ''],
    ['58;5;1;3', 'italic'],
  ]
  for (const [parameters, style] of cases) {
    assert.deepEqual(await shown(`\x1b[${parameters}mx`), [`x{${style}}`], parameters)
  }
})

test('an empty SGR resets', async () => {
  assert.deepEqual(await shown('\x1b[1mx\x1b[my'), ['x{bold}', 'y{}'])
})

test('colours that do not exist do nothing', async () => {
  for (const parameters of [
    '38;5;256',
    '38;2;1;2',
    '38;2;1;2;999',
    '38;5',
    '38',
    '99999999999',
    '10',
    '38:7:1',
  ]) {
    assert.deepEqual(await shown(`\x1b[${parameters}mx`), ['x{}'], parameters)
  }
})

test('the style goes on over lines, and over what a CR has replaced, in each stream for itself', async () => {
  const output = await outputOf([
    chunk('stdout', 'a\x1b[32mb\nc\r\x1b[1md'),
    chunk('stderr', 'plain\n'),
    chunk('stdout', '\ne\x1b[0m\nf'),
  ])
  assert.deepEqual(
    [0, 1, 2, 3].flatMap(index => describe(output, index)),
    ['a{}', 'b{2}', 'd{2 bold}', 'e{2 bold}', 'f{}'],
  )
  assert.deepEqual(
    segmentsOf(output.rows.stderr, 0).map(segment => styleName(segment.style)),
    [''],
  )
})

test('other escapes and controls are not shown and do nothing', async () => {
  const hidden = [
    '\x1b[2J',
    '\x1b[10;20H',
    '\x1b[?25l',
    '\x1b[>4;2m',
    '\x1b[31 m',
    '\x1b]0;title\x07',
    '\x1b]8;;https://example.org\x1b\\',
    '\x1bP1;2|data\x1b\\',
    '\x1b^private\x1b\\',
    '\x1bXstring\u009c',
    '\x1b(B',
    '\x1b%G',
    '\x1b7',
    '\x1bc',
    '\0',
    '\b',
    '\x07',
    '\x0b',
    '\x0c',
    '\x7f',
    '\u0085',
    '\u009b31;1H',
    '\u009d0;title\x07',
    '\x1b\x1b[H',
  ]
  for (const sequence of hidden) {
    assert.deepEqual(await shown(`a${sequence}b`), ['ab{}'], JSON.stringify(sequence))
    assert.deepEqual(
      await shown(...`a${sequence}b`),
      ['ab{}'],
      `in single characters: ${JSON.stringify(sequence)}`,
    )
  }
})

test('an escape that never ends hides no more than its line', async () => {
  const output = await outputOf([chunk('stdout', 'a\x1b]0;title\nb\x1b[12\nc\x1b\nd\x1bP')])
  assert.deepEqual(
    [0, 1, 2, 3].flatMap(index => describe(output, index)),
    ['a{}', 'b{}', 'c{}', 'd{}'],
  )
})

test('an escape that is cut off by a gap does not go on behind it', async () => {
  const output = await outputOf([
    chunk('stdout', 'a\x1b]0;ti'),
    { type: 'dropped', bytes: 1 },
    chunk('stdout', 'b'),
  ])
  assert.deepEqual(describe(output, 1), ['b{}'])
})

test('parameters by the thousand do nothing, and what follows them is read', async () => {
  assert.deepEqual(await shown(`\x1b[${'1;'.repeat(10_000)}31mx\x1b[32my`), ['x{}', 'y{2}'])
})

test('a row of a great many styles is cut into some hundreds of parts and shown to its end', async () => {
  const output = await outputOf([
    chunk('stdout', Array.from({ length: 3000 }, (_, n) => `\x1b[${31 + (n % 2)}mx`).join('')),
  ])
  const segments = segmentsOf(output.rows.stdout, 0)
  assert.ok(segments.length < 300)
  assert.equal(segments.map(segment => segment.text).join(''), 'x'.repeat(3000))
})

test('controls that change the direction of text are shown by name', async () => {
  assert.deepEqual(await shown('a\u202eb\u2066\u2029'), [
    'a{}',
    'U+202E{name}',
    'b{}',
    'U+2066{name}',
    'U+2029{name}',
  ])
})

test('hits are marked, also where the style changes within them, and the current one more', async () => {
  const output = await outputOf([chunk('stdout', 'xx\x1b[1mxx ab')])
  assert.deepEqual(describe(output, 0, { positions: [1, 5], length: 2, current: 5 }), [
    'x{}',
    'x{hit}',
    'x{bold hit}',
    'x {bold}',
    'ab{bold current}',
  ])
})

test('text is the same however it is cut, and no control comes through', async () => {
  const piece = fc.constantFrom(
    'a',
    '\x1b',
    '[',
    ']',
    '3',
    '1',
    ';',
    'm',
    ':',
    '\\',
    '\x07',
    '\u009b',
    '\u009c',
    '\x18',
    '(',
    ' ',
    'é',
    '\x1b[31m',
    '\x1b]0;',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async pieces => {
      const whole = await shown(pieces.join(''))
      assert.deepEqual(await shown(...pieces.join('')), whole)
      assert.doesNotMatch(whole.join(''), /[\0-\x1f\x7f-\x9f]/)
    }),
    { numRuns: 500 },
  )
})
