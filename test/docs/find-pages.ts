import { globSync } from 'node:fs'

/** Pages for the reader, without those in other languages: `README.md`, `docs/api.md`. */
export const findPages = (root: string): string[] =>
  globSync(['README.md', 'SECURITY.md', 'docs/*.md'], { cwd: root })
    .filter(path => !isTwin(path))
    .sort()

/** Every file that is a page, twins included. */
export const findAllPages = (root: string): string[] =>
  globSync(['README*.md', 'SECURITY.md', 'docs/*.md'], { cwd: root }).sort()

export const isTwin = (path: string): boolean => path.endsWith('.zh-CN.md')

/** `docs/api.zh-CN.md` of `docs/api.md`. */
export const twinOf = (path: string): string => path.replace(/\.md$/, '.zh-CN.md')

/** `docs/api.md` of `docs/api.zh-CN.md`. */
export const originalOf = (path: string): string => path.replace(/\.zh-CN\.md$/, '.md')

/** A policy, in English alone. */
export const hasNoTwin = (path: string): boolean => path === 'SECURITY.md'
