import bash from '@speed-highlight/core/languages/bash.js'
import python from '@speed-highlight/core/languages/py.js'
import { type ShjLanguageData, type ShjToken, tokenizeWith } from '@speed-highlight/core/tokenize'

export interface Token {
  text: string
  /** Undefined for what is nothing special. */
  type: ShjToken | undefined
}

/**
 * The parts of a text, which together are the text. Undefined for one that would take too long: some texts take the
 * square of their length, so long ones are left as they are, and so are those with very long words or gaps.
 */
export const highlight = (text: string, language: 'shell' | 'python'): Token[] | undefined => {
  if (text.length > MOST_CHARACTERS || LONG_RUN.test(text)) return undefined
  const tokens: Token[] = []
  const add = (part: string, type: ShjToken | undefined): void => {
    const last = tokens.at(-1)
    if (last && last.type === type) last.text += part
    else if (part !== '') tokens.push({ text: part, type })
  }
  tokenizeWith(text, LANGUAGES[language], add, { languages: { py: LANGUAGES.python } })
  return tokens
}

/** The types of the package do not know exactOptionalPropertyTypes. */
const LANGUAGES = { shell: bash, python: python as ShjLanguageData }
const MOST_CHARACTERS = 20_000
const LONG_RUN = /\w{1000}|\s{1000}/
