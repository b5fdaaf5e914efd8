import { type Color, createAnsiSequenceParser, namedColors } from 'ansi-sequence-parser'
import {
  channels,
  type Decoration,
  decorationsOf,
  inkColour,
  packStyle,
  type Style,
  TRUE_COLOUR,
} from './style.ts'

/** The style after the parameters of an SGR sequence (ECMA-48, 8.3.117), as `1;31`. What is not known does nothing. */
export const createStyler = () => {
  let known = new Map<Style, Map<string, Style>>()
  let styles = new Map<string, Style>()
  let count = 0

  /** The same object for the same style. */
  const same = (style: Style): Style => {
    const key = `${style.ink},${style.ground}`
    const found = styles.get(key)
    if (!found) styles.set(key, style)
    return found ?? style
  }

  return (style: Style, parameters: string): Style => {
    const found = known.get(style)?.get(parameters)
    if (found) return found
    if (count++ === MOST_KNOWN) {
      known = new Map()
      styles = new Map()
      count = 0
    }
    const after = same(parse([...commandsOf(style), ...commandsIn(parameters)]))
    const afters = known.get(style) ?? new Map<string, Style>()
    known.set(style, afters.set(parameters, after))
    return after
  }
}

/**
 * Each command is a sequence of its own: the parser does the resets of one sequence before all else in it, and passes
 * over an empty parameter, which is a reset.
 */
const parse = (commands: string[]): Style => {
  const sequences = commands.map(command => `\x1b[${command}m`).join('')
  const [token] = createAnsiSequenceParser().parse(`${sequences}x`)
  return packStyle(colourNumber(token!.foreground), colourNumber(token!.background), token!.decorations)
}

const colourNumber = (colour: Color | null): number => {
  if (colour === null) return 0
  if (colour.type === 'named') return namedColors.indexOf(colour.name) + 1
  if (colour.type === 'table') return colour.index + 1
  const [red, green, blue] = colour.rgb
  return TRUE_COLOUR | (red << 16) | (green << 8) | blue
}

/** The commands that make a style out of none. */
const commandsOf = (style: Style): string[] => [
  ...colourCommand(38, inkColour(style)),
  ...colourCommand(48, style.ground),
  ...decorationsOf(style).map(decoration => String(CODES[decoration])),
]

const colourCommand = (code: number, colour: number): string[] => {
  if (colour === 0) return []
  if (colour < TRUE_COLOUR) return [`${code};5;${colour - 1}`]
  return [`${code};2;${channels(colour).join(';')}`]
}

const CODES: Record<Decoration, number> = {
  bold: 1,
  dim: 2,
  italic: 3,
  underline: 4,
  reverse: 7,
  strikethrough: 9,
  overline: 53,
}

/** The single commands of a list of parameters, in either way to write a colour: `38;5;1` and `38:5:1`. */
const commandsIn = (parameters: string): string[] => {
  const commands: string[] = []
  const all = parameters.split(';')
  for (let at = 0; at < all.length; at++) {
    const parts = all[at]!.split(':')
    const code = numberOf(parts[0]!)
    if (parts.length > 1) commands.push(...colonCommand(code, parts))
    else if (code === 38 || code === 48 || code === 58) {
      const count = all[at + 1] === '5' ? 2 : all[at + 1] === '2' ? 4 : 0
      commands.push(...extendedColour(code, all.slice(at + 1, at + 1 + count)))
      at += count
    } else if (code === 21)
      commands.push('4') // Underlined twice; the parser takes it for the end of bold.
    else if (code < 108) commands.push(String(code))
  }
  return commands
}

const colonCommand = (code: number, [, ...parts]: string[]): string[] => {
  if (code === 4) return [numberOf(parts[0]!) === 0 ? '24' : '4']
  // Before the three of a true colour may stand the number of a colour space.
  return extendedColour(code, parts[0] === '2' ? ['2', ...parts.slice(parts.length > 4 ? 2 : 1, 5)] : parts)
}

/** 58, the colour of underlines, is passed over. */
const extendedColour = (code: number, [mode, ...parts]: string[]): string[] => {
  const numbers = parts.map(numberOf)
  const isColour = mode === '5' ? numbers.length === 1 : mode === '2' && numbers.length === 3
  if (!isColour || (code !== 38 && code !== 48) || numbers.some(number => !(number <= 255))) return []
  return [`${code};${mode};${numbers.join(';')}`]
}

/** An empty parameter is 0. */
const numberOf = (parameter: string): number => (parameter === '' ? 0 : Number(parameter))

const MOST_KNOWN = 1000
