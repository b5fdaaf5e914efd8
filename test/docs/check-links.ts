import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import GithubSlugger from 'github-slugger'
import { isTwin, originalOf, twinOf } from './find-pages.ts'
import type { Link, Page, ReadPage } from './parse-page.ts'

/** The links of a page that lead nowhere, or to the page in the other language. */
export const checkLinks = (root: string, page: Page, read: ReadPage): string[] =>
  page.links.flatMap(link => {
    const fault = findFault({ root, page, read }, link)
    return fault === undefined ? [] : [`${page.path}:${link.line}: the link to ${link.url} ${fault}`]
  })

interface Place {
  root: string
  page: Page
  read: ReadPage
}

const findFault = ({ root, page, read }: Place, { url }: Link): string | undefined => {
  if (/^[a-z][a-z+.-]*:/i.test(url)) return undefined // An address elsewhere, or of mail.
  const [path = '', anchor] = decodeURI(url).split('#', 2)
  const target = path === '' ? page.path : normalize(join(dirname(page.path), path))
  if (target !== page.path && (target.startsWith('../') || !existsSync(join(root, target))))
    return `leads nowhere: there is no ${target}`
  const wrongLanguage = findWrongLanguage(root, page, target)
  if (wrongLanguage !== undefined) return wrongLanguage
  if (anchor === undefined || anchor === '' || !target.endsWith('.md')) return undefined
  const anchors = anchorsOf(target === page.path ? page : read(target))
  if (anchors.includes(anchor)) return undefined
  return `leads to no heading of ${target}, which has: ${anchors.map(name => `#${name}`).join(' ')}`
}

/** A page links to those in its own language, and to its own twin. */
const findWrongLanguage = (root: string, page: Page, target: string): string | undefined => {
  if (!target.endsWith('.md') || originalOf(target) === originalOf(page.path)) return undefined
  if (isTwin(page.path) && !isTwin(target) && existsSync(join(root, twinOf(target)))) {
    return `should lead to ${twinOf(target)}`
  }
  if (!isTwin(page.path) && isTwin(target)) return `should lead to ${originalOf(target)}`
  return undefined
}

/** As GitHub names them: those of the same name are counted. */
const anchorsOf = (page: Page): string[] => {
  const slugger = new GithubSlugger()
  return [...page.headings.map(({ text }) => slugger.slug(text)), ...page.htmlAnchors]
}
