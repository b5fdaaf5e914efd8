/** What a client is told, in the languages that there are. */
export interface Text {
  zh: string
  en: string
}

/** For zod, whose messages are strings: a text as one string. */
export const message = (zh: string, en: string): string => `${zh}${SEPARATOR}${en}`

/** The text of such a message. */
export const textOf = (message: string): Text => {
  const [zh = '', en = zh] = message.split(SEPARATOR)
  return { zh, en }
}

/** Several in one, as each language lists them. */
export const listed = (texts: readonly Text[]): Text => ({
  zh: unique(texts.map(({ zh }) => zh)).join('；'),
  en: unique(texts.map(({ en }) => en)).join('; '),
})

const unique = (items: string[]): string[] => [...new Set(items)]

/** Of ASCII, and no text has it. */
const SEPARATOR = '\u001f'
