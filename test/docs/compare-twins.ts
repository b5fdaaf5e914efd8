import { isDeepStrictEqual } from 'node:util'
import { examplesOf } from './examples.ts'
import type { Block, Heading, Line, Page } from './parse-page.ts'

/** What a page and its twin in another language do not have in common though they should. */
export const compareTwins = (page: Page, twin: Page): string[] => {
  const headings = compareHeadings(page, twin)
  const blocks = compareBlocks(page, twin)
  if (headings.length > 0) return [...headings, ...blocks]
  const [sections, twinSections] = [sectionsOf(page), sectionsOf(twin)]
  const facts = sections.flatMap((section, index) =>
    compareFacts({ page, twin }, section, twinSections[index]!),
  )
  return [...blocks, ...facts]
}

/** Whether what is run on one page is what is run on the other, and shown to print the same. */
export const hasSameExamples = (page: Page, twin: Page): boolean => {
  const essenceOf = (of: Page) =>
    examplesOf(of).map(example => ({
      ...example,
      line: 0,
      code: codeLines(example),
      shown: example.shown?.text,
    }))
  return isDeepStrictEqual(essenceOf(page), essenceOf(twin))
}

/** Told by the first heading that has no counterpart; the rest follows from it. */
const compareHeadings = (page: Page, twin: Page): string[] => {
  const count = Math.max(page.headings.length, twin.headings.length)
  for (let index = 0; index < count; index++) {
    const [heading, twinHeading] = [page.headings[index], twin.headings[index]]
    if (heading?.level === twinHeading?.level) continue
    return [
      `${placeOf(page, heading)} ${name(heading)}, but ${placeOf(twin, twinHeading)} ${name(twinHeading)}`,
    ]
  }
  return []
}

const placeOf = (page: Page, at: { line: number } | undefined): string =>
  `${page.path}:${at?.line ?? page.lines.length}:`

const name = (heading: Heading | undefined): string =>
  heading === undefined
    ? 'has no more headings'
    : `has the heading ${'#'.repeat(heading.level)} ${heading.text}`

const compareBlocks = (page: Page, twin: Page): string[] => {
  const count = Math.max(page.blocks.length, twin.blocks.length)
  for (let index = 0; index < count; index++) {
    const [block, twinBlock] = [page.blocks[index], twin.blocks[index]]
    if (block === undefined || twinBlock === undefined) {
      const [more, less] = block === undefined ? [twin, page] : [page, twin]
      const surplus = block ?? twinBlock!
      return [
        `${placeOf(more, surplus)} has a block of code that ${less.path} lacks, or lacks one before: ${firstLine(surplus)}`,
      ]
    }
    const fault = compareBlock(page, block, twin, twinBlock)
    if (fault !== undefined) return [fault] // Those behind it may be shifted by one.
  }
  return []
}

const firstLine = (block: Block): string => `\`\`\`${block.language} ${block.code.split('\n', 1)[0]}`

const compareBlock = (page: Page, block: Block, twin: Page, twinBlock: Block): string | undefined => {
  const places = `${placeOf(page, block)} ${firstLine(block)} and ${placeOf(twin, twinBlock)} ${firstLine(twinBlock)}`
  if (block.language !== twinBlock.language) return `${places} are in two languages`
  if (isSkipped(block) !== isSkipped(twinBlock)) return `${places}: only one is marked as not run`
  const [lines, twinLines] = isWords(block)
    ? [numberLines(block), numberLines(twinBlock)]
    : [codeLines(block), codeLines(twinBlock)]
  for (let index = 0; index < Math.max(lines.length, twinLines.length); index++) {
    if (lines[index] === twinLines[index]) continue
    return `${places} differ: "${lines[index] ?? ''}" and "${twinLines[index] ?? ''}"`
  }
  return undefined
}

const isSkipped = ({ directive }: Block): boolean => directive?.startsWith('not run') ?? false

/** A diagram, say: its words are translated. */
const isWords = ({ language, followsBlock }: Block): boolean =>
  language === '' || language === 'mermaid' || (language === 'text' && !followsBlock)

const numberLines = ({ line, code }: Block): string[] =>
  numbersOf([{ line, text: code }])
    .map(({ text }) => text)
    .sort()

/** The code apart from its comments, the names in `<this repository>`, and blank lines. */
export const codeLines = ({ language, code }: Pick<Block, 'language' | 'code'>): string[] => {
  const comment = COMMENTS[language]
  return code
    .split('\n')
    .map(line => (comment === undefined ? line : line.replace(comment, '')))
    .map(line => withoutNames(line).trimEnd())
    .filter(line => line.trim() !== '')
}

/** `<number>` and `<数字>` are the same. */
const withoutNames = (text: string): string => text.replace(/<[^<>\n]*>/g, '<>')

const HASH = /(^|\s)#.*$/
const SLASHES = /(^|\s)\/\/.*$/
const COMMENTS: Record<string, RegExp | undefined> = {
  bash: HASH,
  sh: HASH,
  python: HASH,
  ini: HASH,
  toml: HASH,
  yaml: HASH,
  nginx: HASH,
  caddyfile: HASH,
  dockerfile: HASH,
  ts: SLASHES,
  js: SLASHES,
}

/** What stands between two headings; the first heading belongs to it. */
interface Section {
  line: number
  prose: Line[]
  inlineCode: Line[]
}

const sectionsOf = (page: Page): Section[] => {
  const starts = [0, ...page.headings.map(({ line }) => line)]
  return starts.map((line, index) => {
    const end = starts[index + 1] ?? Number.POSITIVE_INFINITY
    const isHere = (piece: Line): boolean => piece.line >= line && piece.line < end
    return {
      line: Math.max(line, 1),
      prose: page.prose.filter(isHere),
      inlineCode: page.inlineCode.filter(isHere),
    }
  })
}

const compareFacts = (
  pages: { page: Page; twin: Page },
  section: Section,
  twinSection: Section,
): string[] => {
  const [numbers, twinNumbers] = [numbersOf(section.prose), numbersOf(twinSection.prose)]
  const [words, twinWords] = [uniqueOf(section.inlineCode), uniqueOf(twinSection.inlineCode)]
  const lacks = (of: Page, lines: Line[], other: Page, from: Section, kind: string): string[] =>
    lines.map(
      ({ line, text }) => `${of.path}:${line}: the ${kind} ${text} is not in ${other.path}:${from.line} ff.`,
    )
  return [
    ...lacks(pages.page, without(numbers, twinNumbers), pages.twin, twinSection, 'number'),
    ...lacks(pages.twin, without(twinNumbers, numbers), pages.page, section, 'number'),
    ...lacks(pages.page, without(words, twinWords), pages.twin, twinSection, 'code'),
    ...lacks(pages.twin, without(twinWords, words), pages.page, section, 'code'),
  ]
}

/** `100,000` is 100000. */
const numbersOf = (prose: Line[]): Line[] =>
  prose.flatMap(({ line, text }) =>
    text.split('\n').flatMap((part, index) =>
      [...part.replace(/(?<=\d),(?=\d{3}(?!\d))/g, '').matchAll(/\d+(?:\.\d+)*/g)].map(([number]) => ({
        line: line + index,
        text: number,
      })),
    ),
  )

const uniqueOf = (code: Line[]): Line[] => {
  const byText = new Map(code.map(({ line, text }) => [withoutNames(text), line]))
  return [...byText].map(([text, line]) => ({ line, text }))
}

/** What is left when each of the others has taken one away. */
const without = (lines: Line[], others: Line[]): Line[] => {
  const counts = new Map<string, number>()
  for (const { text } of others) counts.set(text, (counts.get(text) ?? 0) + 1)
  return lines.filter(({ text }) => {
    const count = counts.get(text) ?? 0
    counts.set(text, count - 1)
    return count <= 0
  })
}
