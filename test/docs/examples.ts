import { isInstalled } from '../support/is-installed.ts'
import type { Block, Page } from './parse-page.ts'

/** A block of code that is run. */
export interface Example {
  line: number
  language: Language
  code: string
  /** What the page says that it prints; undefined where it says nothing. */
  shown: { line: number; text: string } | undefined
  status: number
}

export type Language = 'bash' | 'python' | 'ts'

/** Of a page, in order. */
export const examplesOf = ({ blocks }: Page): Example[] =>
  blocks.flatMap((block, index) => {
    if (!isRun(block)) return []
    const next = blocks[index + 1]
    const shown =
      next?.language === 'text' && next.followsBlock ? { line: next.line + 1, text: next.code } : undefined
    const status = Number(/^# exits with (\d+)/.exec(block.code)?.[1] ?? 0)
    return [{ line: block.line, language: block.language as Language, code: block.code, shown, status }]
  })

const isRun = ({ language, directive }: Block): boolean => {
  const [, needed] = NEEDS.exec(directive ?? '') ?? []
  if (needed !== undefined && !isInstalled(needed)) return false
  if (language === 'bash') return !directive?.startsWith('not run')
  return (language === 'ts' || language === 'python') && directive === 'run'
}

/** A program that an example needs, which not every machine has. */
const NEEDS = /^needs ([a-z-]+)$/

/** What a writer has written that would leave an example out by mistake. */
export const checkExamples = ({ path, blocks }: Page): string[] =>
  blocks.flatMap(block => {
    const fault = findFault(block)
    return fault === undefined ? [] : [`${path}:${block.line}: ${fault}`]
  })

const findFault = ({ language, directive }: Block): string | undefined => {
  if (['sh', 'shell', 'console', 'zsh'].includes(language))
    return `write \`\`\`bash instead of \`\`\`${language}`
  if (directive === undefined || (NEEDS.test(directive) && language === 'bash')) return undefined
  if (directive === 'run') {
    if (language === 'ts' || language === 'python') return undefined
    return `<!-- run --> is for ts and python, not for "${language}"`
  }
  if (/^not run\b/.test(directive)) {
    return /^not run: \S/.test(directive) ? undefined : 'say why: <!-- not run: REASON -->'
  }
  return `unknown: <!-- ${directive} -->`
}
