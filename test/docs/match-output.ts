/** Where what was printed departs from what a page shows. */
export interface Difference {
  /** Of the text shown, counted from 0. */
  line: number
  /** What should have come there, and what came; empty for the end of the text. */
  expected: string
  came: string
}

/**
 * Compares what was printed with what a page shows. `…` stands for anything, also nothing, also over line ends. Ids
 * (hex of 12 digits or more), RFC 3339 times and runs of white space are as good as any other. A line that breaks off
 * with `,…` may go on anywhere.
 */
export const findDifference = (shown: string, printed: string): Difference | undefined => {
  const text = pad(withoutChance(printed))
  const pieces = pad(withoutChance(shown.replace(BROKEN_LINE, `…${JOINT}`).replace(PART_OF_ID, '…'))).split(
    '…',
  )
  let end = 0
  for (const [index, raw] of pieces.entries()) {
    const piece = bare(raw)
    // `a … b` is also `a b`: the blank before and the one behind may be the same.
    const from = Math.max(0, end - (piece.startsWith(' ') && text[end - 1] === ' ' ? 1 : 0))
    const at = findPiece(text, piece, { from, isFirst: index === 0, isLast: index === pieces.length - 1 })
    if (at === undefined) return describeDifference({ shown, text, pieces, index, from })
    end = at + piece.length
  }
  return undefined
}

/** Stands for an end of line that need not be printed. */
const JOINT = '\0'
const BROKEN_LINE = /(?<=\S)…\n[^\S\n]*/g
const bare = (piece: string): string => piece.replace(JOINT, '')

const ID = /\b[0-9a-f]{12,}\b/g
/** `019a…`: both letters and digits. */
const PART_OF_ID = /\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{4,}…/g
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g

const withoutChance = (text: string): string =>
  text.replace(TIME, '‹time›').replace(ID, '‹id›').replace(/\s+/g, ' ').trim()

const pad = (text: string): string => (text === '' ? ' ' : ` ${text} `)

interface Place {
  from: number
  isFirst: boolean
  isLast: boolean
}

/** The leftmost place is the best one, but for the last piece, which must be the end. */
const findPiece = (text: string, piece: string, { from, isFirst, isLast }: Place): number | undefined => {
  if (isFirst && isLast) return text === piece ? 0 : undefined
  if (isFirst) return text.startsWith(piece) ? 0 : undefined
  if (isLast) {
    const at = text.length - piece.length
    return at >= from && text.endsWith(piece) ? at : undefined
  }
  const at = text.indexOf(piece, from)
  return at === -1 ? undefined : at
}

interface Failure {
  shown: string
  text: string
  pieces: string[]
  /** Of the piece that is not there. */
  index: number
  from: number
}

/** The words of the piece that are there are passed over; the next one is the difference. */
const describeDifference = ({ shown, text, pieces, index, from }: Failure): Difference => {
  const piece = bare(pieces[index]!)
  const words = piece.match(/ ?[^ ]+| $/g) ?? []
  let passed = pieces
    .slice(0, index)
    .map(piece => `${piece}…`)
    .join('')
  let end = from
  let known = ''
  for (const word of words) {
    const at = index === 0 ? (text.startsWith(known + word) ? 0 : -1) : text.indexOf(known + word, from)
    if (at === -1) break
    known += word
    end = at + known.length
  }
  passed += (pieces[index]!.startsWith(JOINT) ? JOINT : '') + known
  const expected = piece.slice(known.length)
  const isNewWord = expected.startsWith(' ') || /[ \0]$/.test(passed)
  return {
    line: lineOfWord(shown, countWords(passed) - (isNewWord ? 0 : 1)),
    expected: expected.trim(),
    came: text.slice(end).trim(),
  }
}

const countWords = (text: string): number => text.split(/[\s\0]+/).filter(word => word !== '').length

/** The line of the word with this index; the last line where there are no more. */
const lineOfWord = (text: string, index: number): number => {
  const lines = text.trimEnd().split('\n')
  let seen = 0
  for (const [line, content] of lines.entries()) {
    seen += countWords(content)
    if (seen > index) return line
  }
  return lines.length - 1
}
