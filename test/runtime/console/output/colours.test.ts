import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lookOf } from '../../../../runtime/console/output/look.ts'
import { createStyler } from '../../../../runtime/console/output/sgr.ts'
import { PLAIN } from '../../../../runtime/console/output/style.ts'

const CONSOLE = join(import.meta.dirname, '../../../../runtime/console')

/** The custom properties of all style sheets, in the light or in the dark. */
const propertiesIn = (scheme: 'light' | 'dark'): Map<string, string> => {
  const properties = new Map<string, string>()
  const sheets = ['styles.css', 'output/output.css'].map(file => readFileSync(join(CONSOLE, file), 'utf8'))
  const media = /@media \(prefers-color-scheme: dark\) \{\n([\s\S]*?)\n\}/g
  const light = sheets.map(sheet => sheet.replace(media, ''))
  const dark = sheets.flatMap(sheet => [...sheet.matchAll(media)].map(match => match[1]!))
  for (const part of scheme === 'light' ? light : [...light, ...dark]) {
    for (const [, name, value] of part.matchAll(/(--[\w-]+): (#[\da-f]{6});/g)) properties.set(name!, value!)
  }
  return properties
}

/** WCAG 2, relative luminance. */
const luminance = (colour: string): number => {
  const [red, green, blue] = [1, 3, 5]
    .map(at => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

const contrast = (a: string, b: string): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((a, b) => a - b)
  return (high! + 0.05) / (low! + 0.05)
}

const styleAfter = createStyler()
const look = (parameters: string) => lookOf(styleAfter(PLAIN, parameters))

test('each of the sixteen colours is readable on the page, in the light and in the dark', () => {
  for (const scheme of ['light', 'dark'] as const) {
    const properties = propertiesIn(scheme)
    for (let colour = 0; colour < 16; colour++) {
      for (const ground of ['--ground', '--sunken']) {
        const value = contrast(properties.get(`--ansi-${colour}`)!, properties.get(ground)!)
        assert.ok(value >= 4.5, `${scheme}: ${colour} on ${ground} has ${value.toFixed(2)}`)
      }
    }
  }
})

test('text without a colour is readable on each of the sixteen', () => {
  const properties = propertiesIn('light')
  for (let colour = 0; colour < 16; colour++) {
    const { style } = look(colour < 8 ? `${40 + colour}` : `${92 + colour}`)
    assert.equal(style.backgroundColor, `var(--paint-${colour})`)
    assert.equal(style.color, `var(--on-paint-${colour})`)
    const text = properties.get(`--on-paint-${colour}`)!
    const value = contrast(text, properties.get(`--paint-${colour}`)!)
    assert.ok(value >= 4.5, `on ${colour} it has ${value.toFixed(2)}`)
  }
})

test('plain text looks as the page has it', () => {
  assert.deepEqual(look('0'), { class: '', style: {} })
})

test('colours of the table and of all are what they are everywhere', () => {
  assert.deepEqual(look('38;5;196').style, { color: 'rgb(255 0 0)' })
  assert.deepEqual(look('38;5;244').style, { color: 'rgb(128 128 128)' })
  assert.deepEqual(look('38;2;1;2;3').style, { color: 'rgb(1 2 3)' })
  assert.deepEqual(look('48;2;250;250;210').style, { color: '#000', backgroundColor: 'rgb(250 250 210)' })
  assert.deepEqual(look('48;5;17').style, { color: '#fff', backgroundColor: 'rgb(0 0 95)' })
})

test('reversed text has the colours changed about', () => {
  assert.deepEqual(look('7').style, { color: 'var(--ground)', backgroundColor: 'var(--text)' })
  assert.deepEqual(look('31;7').style, { color: 'var(--on-paint-1)', backgroundColor: 'var(--paint-1)' })
  assert.deepEqual(look('31;42;7').style, { color: 'var(--paint-2)', backgroundColor: 'var(--paint-1)' })
})

test('decorations are classes', () => {
  assert.equal(look('1;4').class, 'output-bold output-underline')
})
