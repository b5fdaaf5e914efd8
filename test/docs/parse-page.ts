import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Node, Nodes, Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table'
import { toString as textOf } from 'mdast-util-to-string'
import { gfmTable } from 'micromark-extension-gfm-table'
import { visit } from 'unist-util-visit'

export interface Page {
  /** Relative to the root of the pages. */
  path: string
  lines: string[]
  headings: Heading[]
  links: Link[]
  blocks: Block[]
  /** Each by its lines. */
  tables: Line[][]
  /** Text that is not code, and where each piece of it begins. */
  prose: Line[]
  inlineCode: Line[]
  /** The values of `id` and `name` of its HTML. */
  htmlAnchors: string[]
}

/** Lines are counted from 1. */
export interface Line {
  line: number
  text: string
}

export interface Heading extends Line {
  level: number
}

export interface Link {
  line: number
  url: string
}

/** A fenced code block. */
export interface Block {
  /** Of its fence. */
  line: number
  /** Empty where the fence names none. */
  language: string
  code: string
  /** What the comment right before it says: `run`, `not run: REASON`. */
  directive: string | undefined
  /** Whether nothing stands between it and the block before. */
  followsBlock: boolean
}

/** By its path, relative to the root. */
export type ReadPage = (path: string) => Page

/** Reads each page once: parsing takes a while. */
export const createReader = (root: string): ReadPage => {
  const pages = new Map<string, Page>()
  return path => {
    const page = pages.get(path) ?? parsePage(path, readFileSync(join(root, path), 'utf8'))
    pages.set(path, page)
    return page
  }
}

export const parsePage = (path: string, markdown: string): Page => {
  const tree = fromMarkdown(markdown, {
    extensions: [gfmTable()],
    mdastExtensions: [gfmTableFromMarkdown()],
  })
  const page: Page = {
    path,
    lines: markdown.split('\n'),
    headings: [],
    links: [],
    blocks: [],
    tables: [],
    prose: [],
    inlineCode: [],
    htmlAnchors: [],
  }
  visit(tree, (node, index, parent) => {
    addNode(page, node, index === undefined ? undefined : parent?.children[index - 1])
  })
  return page
}

const addNode = (page: Page, node: Root | Nodes, previous: Nodes | undefined): void => {
  const line = lineOf(node)
  switch (node.type) {
    case 'heading':
      page.headings.push({ line, level: node.depth, text: textOf(node) })
      break
    case 'link':
    case 'image':
    case 'definition':
      page.links.push({ line, url: node.url })
      break
    case 'html':
      for (const [, attribute, value] of node.value.matchAll(/\s(href|src|srcset|id|name)="([^"]*)"/g)) {
        if (attribute === 'id' || attribute === 'name') page.htmlAnchors.push(value!)
        else page.links.push({ line, url: value! })
      }
      break
    case 'table':
      page.tables.push(linesOf(page, node))
      break
    case 'text':
      page.prose.push({ line, text: node.value })
      break
    case 'inlineCode':
      page.inlineCode.push({ line, text: node.value })
      break
    case 'code':
      page.blocks.push({
        line,
        language: node.lang ?? '',
        code: node.value,
        directive: previous?.type === 'html' ? /^<!--\s*(.*?)\s*-->$/s.exec(previous.value)?.[1] : undefined,
        followsBlock: previous?.type === 'code',
      })
  }
}

const linesOf = ({ lines }: Page, { position }: Node): Line[] =>
  lines
    .slice(position!.start.line - 1, position!.end.line)
    .map((text, index) => ({ line: position!.start.line + index, text }))

const lineOf = (node: Node): number => node.position!.start.line
