export type Language = 'zh' | 'en'

/** The one that an Accept-Language header (RFC 9110, 12.5.4) ranks highest; Chinese, as the contract has it, if none. */
export const languageOf = (acceptLanguage: string | null | undefined): Language => {
  let preferred: Language = 'zh'
  let highest = 0
  for (const range of (acceptLanguage ?? '').toLowerCase().split(',', MOST_RANGES)) {
    const [, language, weight = '1'] = /^\s*(zh|en)(?:-[\w-]*)?\s*(?:;\s*q=([\d.]+)\s*)?$/.exec(range) ?? []
    if (language === undefined || !(Number(weight) > highest)) continue
    preferred = language as Language
    highest = Number(weight)
  }
  return preferred
}

const MOST_RANGES = 20
