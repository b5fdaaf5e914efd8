import { createStyler } from './sgr.ts'
import { PLAIN, type Style } from './style.ts'

/**
 * Takes what a program writes to a terminal, piece by piece, and tells the text of it with its style: the characters
 * that are seen, tabs, and CR and LF. Every other control and escape is taken out and does nothing. Each character is
 * looked at once; a sequence may be cut anywhere between two pieces.
 */
export const createTextScreen = (tell: (text: string, style: Style) => void) => {
  const styleAfter = createStyler()
  let state: State = 'text'
  let style = PLAIN
  let parameters = ''
  let seen = ''

  const flush = () => {
    if (seen !== '') tell(seen, style)
    seen = ''
  }

  /** Each goes on from `at`, and returns where the next one does. */
  const steps: Record<State, (text: string, at: number) => number> = {
    text(text, at) {
      const end = indexOf(CONTROL, text, at)
      seen += text.slice(at, end)
      if (end < text.length) state = BEGINS[text.charCodeAt(end)] ?? 'text'
      parameters = ''
      return end + 1
    },
    escape(text, at) {
      parameters = ''
      const begins = BEGINS_AFTER_ESCAPE[text[at]!]
      state = begins ?? (isIntermediate(text[at]!) ? 'intermediate' : 'text')
      return begins || isIntermediate(text[at]!) || FINAL.test(text[at]!) ? at + 1 : at
    },
    intermediate(text, at) {
      const end = indexOf(NO_INTERMEDIATE, text, at)
      if (end === text.length) return end
      state = 'text'
      return FINAL.test(text[end]!) ? end + 1 : end
    },
    sequence(text, at) {
      const end = indexOf(NO_PARAMETER, text, at)
      if (parameters.length <= LONGEST_PARAMETERS)
        parameters += text.slice(at, Math.min(end, at + LONGEST_PARAMETERS + 1))
      if (end === text.length) return end
      state = 'text'
      if (text[end] === 'm' && parameters.length <= LONGEST_PARAMETERS && SGR.test(parameters)) {
        flush()
        style = styleAfter(style, parameters)
      }
      return FINAL.test(text[end]!) ? end + 1 : end
    },
    string(text, at) {
      const end = indexOf(STRING_END, text, at)
      if (end === text.length) return end
      state = text[end] === '\x1b' ? 'escape' : 'text'
      return text[end] === '\n' || text[end] === '\r' ? end : end + 1
    },
  }

  return (text: string): void => {
    for (let at = 0; at < text.length; ) at = steps[state](text, at)
    flush()
  }
}

type State = 'text' | 'escape' | 'intermediate' | 'sequence' | 'string'

const isIntermediate = (character: string): boolean => character >= ' ' && character <= '/'

const indexOf = (pattern: RegExp, text: string, from: number): number => {
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? text.length
}

/** C0 but for tab, LF and CR; DEL; C1. */
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g
const NO_INTERMEDIATE = /[^\x20-\x2f]/g
const NO_PARAMETER = /[^\x20-\x3f]/g
/** A line end is one too: an OSC that never ends must not hide the rest of the output. */
const STRING_END = /[\x07\x18\x1a\x1b\x9c\n\r]/g
const FINAL = /[\x30-\x7e]/
const SGR = /^[\d;:]*$/

/** xterm takes 30 of them; what is longer than this does nothing. */
const LONGEST_PARAMETERS = 1024

const BEGINS: Record<number, State> = {
  27: 'escape',
  144: 'string',
  152: 'string',
  155: 'sequence',
  157: 'string',
  158: 'string',
  159: 'string',
}

const BEGINS_AFTER_ESCAPE: Record<string, State> = {
  '[': 'sequence',
  ']': 'string',
  P: 'string',
  X: 'string',
  '^': 'string',
  _: 'string',
}
