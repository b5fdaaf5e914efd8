import type { StreamRows } from './stream-rows.ts'
import type { Style } from './style.ts'

export type Mark = 'none' | 'hit' | 'current'

/** A part of a row that looks the same all along. */
export interface Segment {
  text: string
  style: Style
  mark: Mark
  /** The name of a character that must not do what it does. */
  isName: boolean
}

/** Where hits begin in the text of the stream, and which of them is the current one. */
export interface Marks {
  positions: number[]
  length: number
  current: number | undefined
}

export const NO_MARKS: Marks = { positions: [], length: 0, current: undefined }

/** One row, cut where its style or its mark changes. A row with a great many of these is plain behind them. */
export const segmentsOf = (rows: StreamRows, index: number, marks: Marks = NO_MARKS): Segment[] => {
  const [start, end] = rows.rangeOf(index)
  const text = rows.log.slice(start, end)
  const borders = [...bordersIn(rows, text, start, marks)]
    .filter(border => border > start && border < end)
    .sort((a, b) => a - b)
    .slice(0, MOST_SEGMENTS)
  const segments: Segment[] = []
  let from = start
  for (const to of [...borders, end]) {
    if (to === from) continue
    const part = text.slice(from - start, to - start)
    const isName = part.length === 1 && REORDERING.test(part)
    segments.push({
      text: (isName ? nameOf(part) : part).replace(ALL_REORDERING, nameOf),
      style: rows.runs.style(rows.runs.indexAt(from)),
      mark: markAt(from, marks),
      isName,
    })
    from = to
  }
  return segments
}

function* bordersIn({ runs }: StreamRows, text: string, start: number, marks: Marks): Generator<number> {
  const end = start + text.length
  for (let run = runs.indexAt(start) + 1; run < runs.length && runs.position(run) < end; run++) {
    yield runs.position(run)
  }
  for (const position of marks.positions) {
    yield position
    yield position + marks.length
  }
  if (!REORDERING.test(text)) return
  for (const { index } of text.matchAll(ALL_REORDERING)) {
    yield start + index
    yield start + index + 1
  }
}

const markAt = (at: number, { positions, length, current }: Marks): Mark => {
  const position = positions.findLast(position => position <= at && at < position + length)
  if (position === undefined) return 'none'
  return position === current ? 'current' : 'hit'
}

const nameOf = (character: string): string =>
  `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`

/** They change the direction of what stands behind them, or begin a line. */
const REORDERING = /[\u2028-\u202e\u2066-\u2069]/
const ALL_REORDERING = new RegExp(REORDERING, 'g')

/** More than a wide terminal has columns. */
const MOST_SEGMENTS = 256
