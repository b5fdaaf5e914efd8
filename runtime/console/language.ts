/** Of the console, as the browser prefers. */
export const language: 'en' | 'zh' = /^zh\b/i.test(navigator.languages?.[0] ?? navigator.language)
  ? 'zh'
  : 'en'

/** Of numbers and times. Undefined: as the browser has it. */
export const LOCALE = language === 'zh' ? 'zh-CN' : undefined

/** Texts in the language of the console; both have the same names. */
export const choose = <T>(texts: { en: T; zh: NoInfer<T> }): T => texts[language]
