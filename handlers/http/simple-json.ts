import { refusal } from './refusal.ts'

/**
 * Refuses JSON that is nested deeper, or has more values, than any request of the agent needs: parsing and checking
 * half a million values would hold up every other client. Looks at the bytes alone, and what is no JSON may pass.
 * Throws AgentError 400.
 */
export const assertSimpleJson = (bytes: Uint8Array): void => {
  let depth = 0
  let separators = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > DEEPEST) throw refusal('invalid-request', { detail: TOO_DEEP })
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--
    else if (byte === COMMA && ++separators >= MOST_VALUES)
      throw refusal('invalid-request', { detail: TOO_MANY })
  }
}

const DEEPEST = 16
/** A request has fewer than twenty fields, and at most 1,000 variables in its environment. */
const MOST_VALUES = 2000

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

const TOO_DEEP = { zh: `JSON 嵌套超过 ${DEEPEST} 层`, en: `the JSON is nested deeper than ${DEEPEST} levels` }
const TOO_MANY = {
  zh: `JSON 中的值超过 ${MOST_VALUES} 个`,
  en: `the JSON has more than ${MOST_VALUES} values`,
}
