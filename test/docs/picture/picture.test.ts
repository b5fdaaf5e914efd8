import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ROOT } from '../../support/agent.ts'
import { draw } from './draw.ts'
import { record, stepsOf } from './record.ts'
import { COMMANDS, PICTURE } from './session.ts'

const options = {
  columns: 70,
  rows: 20,
  cwd: '/',
  env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
  deadlineMs: 10_000,
}

/** Fails where it is not XML. */
const textsOf = (svg: string): string[] => {
  const program = [
    'import json, sys, xml.dom.minidom as dom',
    'texts = dom.parse(sys.stdin.buffer).getElementsByTagName("text")',
    'inner = lambda node: node.data if node.nodeType == node.TEXT_NODE else "".join(map(inner, node.childNodes))',
    'print(json.dumps([inner(text) for text in texts]))',
  ].join('\n')
  return JSON.parse(execFileSync('python3', ['-c', program], { input: svg, encoding: 'utf8' }))
}

describe('a recorded session', () => {
  test('is what the commands print on a terminal, in one shell', async () => {
    const steps = await record(
      ['size=$(stty size); test -t 1', 'echo $?', 'echo $size; echo two >&2', '(exit 3)', 'echo $?'],
      options,
    )
    assert.deepEqual(
      steps.map(({ command, output }) => [command, output.map(({ text }) => text).join('')]),
      [
        ['size=$(stty size); test -t 1', ''],
        ['echo $?', '0\r\n'],
        ['echo $size; echo two >&2', '20 70\r\ntwo\r\n'],
        ['(exit 3)', ''],
        ['echo $?', '3\r\n'],
      ],
    )
  })

  test('knows when each piece came', async () => {
    const [, step] = await record(['sleep 1', 'echo one; sleep 0.8; echo two'], options)
    assert.deepEqual(
      step!.output.map(({ text }) => text),
      ['one\r\n', 'two\r\n'],
    )
    const [one, two] = step!.output.map(({ atMs }) => atMs) as [number, number]
    assert.ok(one < 900 && two - one > 300 && two - one < 5000, `${one} ${two}`)
  })

  test('is cut at the marks wherever the pieces end', () => {
    const mark = '\x1b]newdt\x07'
    const text = `${mark}one${mark}${mark}three`
    for (let end = 0; end < text.length; end++) {
      const chunks = [
        { atMs: 5, text: text.slice(0, end) },
        { atMs: 6, text: text.slice(end) },
      ]
      assert.deepEqual(
        stepsOf(['1', '2', '3'], chunks).map(({ output }) => output.map(chunk => chunk.text).join('')),
        ['one', '', 'three'],
      )
    }
  })

  test('that does not end is given up', async () => {
    await assert.rejects(record(['sleep 300'], { ...options, deadlineMs: 300 }), /not end within 300 ms/)
  })
})

describe('the picture of a session', () => {
  const svg = draw(
    [
      { command: 'ls <a>', output: [{ atMs: 5, text: '\x1b[31mred & dead\x1b[0m  plain\r\n' }] },
      { command: 'true', output: [] },
    ],
    40,
  )

  test('shows the commands and what they print, in colour', () => {
    assert.deepEqual(textsOf(svg), ['$', 'ls <a>', 'red & dead', 'plain', '$', 'true', '$'])
    assert.match(svg, /<text class="color1" [^>]*>.*red/)
  })

  test('types the commands, and prints what comes when it has come', () => {
    const pauses = draw(
      [{ command: '', output: [5, 805, 90_000].map(atMs => ({ atMs, text: `at${atMs}\r\n` })) }],
      40,
    )
    const delayOf = (text: string, of = svg): number =>
      Number(new RegExp(`animation-delay:([\\d.]+)s">${text}`).exec(of)![1])
    assert.ok(delayOf('l') < delayOf('s'))
    assert.ok(delayOf('s') < delayOf('red'))
    assert.ok(delayOf('red') < delayOf('t'))
    assert.equal(Math.round((delayOf('at805', pauses) - delayOf('at5', pauses)) * 10), 8)
    assert.ok(delayOf('at90000', pauses) < 5, 'a long pause is cut')
  })

  test('fits the page: light and dark, no script, nothing from elsewhere', () => {
    assert.match(svg, /prefers-color-scheme:light/)
    assert.match(svg, /prefers-reduced-motion/)
    assert.doesNotMatch(
      svg.replace('http://www.w3.org/2000/svg', ''),
      /<script|<image|<foreignObject|https?:|url\(|@import/,
    )
  })

  test('in the README is small, and of the commands that are recorded today', () => {
    const picture = readFileSync(join(ROOT, PICTURE), 'utf8')
    assert.ok(picture.length < 60_000, `${picture.length} bytes`)
    const texts = textsOf(picture)
    assert.deepEqual(
      COMMANDS.filter(command => !texts.join('').includes(command)),
      [],
    )
    assert.ok(!/<script/.test(picture))
  })
})
