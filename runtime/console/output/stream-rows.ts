import { createColumn, lastAtMost } from './column.ts'
import { PLAIN, type Style } from './style.ts'
import { createTextLog } from './text-log.ts'

/**
 * The rows of one stream: its lines, and long ones in pieces. `onRow` is called when one begins. After a lone CR the
 * next text takes the place of what stands in the row.
 */
export const createStreamRows = (onRow: (isContinuation: boolean) => void) => {
  const log = createTextLog()
  const starts = createColumn(Uint32Array)
  const runs = createRuns()
  let isOpen = false
  let isReturned = false

  const begin = (position: number, isContinuation: boolean) => {
    starts.push(position)
    isOpen = true
    onRow(isContinuation)
  }

  /** Text without a CR. Only the line ends are looked for one by one; the text is moved as a whole. */
  const write = (text: string, style: Style) => {
    if (text === '') return
    if (isReturned && isOpen && text[0] !== '\n') log.discard()
    isReturned = false
    const base = log.length
    runs.mark(base, style)
    for (let at = 0; at < text.length; ) {
      const newline = text.indexOf('\n', at)
      const end = newline < 0 ? text.length : newline
      if (!isOpen) begin(base + at, false)
      for (let cut = cutOf(text, at, end, base); cut < end; cut = cutOf(text, cut, end, base)) {
        begin(base + cut, true)
      }
      if (newline >= 0) isOpen = false
      at = end + 1
    }
    const openAt = isOpen ? starts.at(starts.length - 1) - base : text.length
    if (openAt < 0) return log.write(text)
    log.settle(text.slice(0, openAt))
    log.write(text.slice(openAt))
  }

  /** Where the open row is full, or `end`. */
  const cutOf = (text: string, at: number, end: number, base: number): number => {
    const cut = starts.at(starts.length - 1) + ROW_LENGTH - base
    if (cut >= end) return end
    return cut > at && isHighSurrogate(text.charCodeAt(cut - 1)) ? cut - 1 : cut
  }

  return {
    log,
    starts,
    runs,
    /** Where the text begins that may still be replaced. */
    get settledLength() {
      return log.openStart
    },
    append(text: string, style: Style): void {
      // A CR before LF replaces nothing; taken out at once, it costs no more than the LF.
      const [first, ...parts] = text.includes('\r') ? text.replaceAll('\r\n', '\n').split('\r') : [text]
      write(first!, style)
      for (const part of parts) {
        isReturned = true
        write(part, style)
      }
    },
    /** What comes next begins a row of its own. */
    endRow(): void {
      if (isOpen) write('\n', PLAIN)
    },
    textOf(index: number): string {
      const [start, end] = this.rangeOf(index)
      return log.slice(start, end)
    },
    /** Where the text of a row stands in the log, without its line end. */
    rangeOf(index: number): [start: number, end: number] {
      const isLast = index === starts.length - 1
      const end = isLast ? log.length : starts.at(index + 1)
      const hasLineEnd = isLast ? !isOpen : log.slice(end - 1, end) === '\n'
      return [starts.at(index), hasLineEnd ? end - 1 : end]
    },
  }
}

export type StreamRows = ReturnType<typeof createStreamRows>

/** Where in the log each style begins. */
const createRuns = () => {
  const positions = createColumn(Uint32Array)
  const inks = createColumn(Uint32Array)
  const grounds = createColumn(Uint32Array)
  const last = (): Style =>
    positions.length === 0 ? PLAIN : { ink: inks.at(inks.length - 1), ground: grounds.at(grounds.length - 1) }
  return {
    get length() {
      return positions.length
    },
    position: (index: number): number => positions.at(index),
    /** PLAIN before the first. */
    style: (index: number): Style => (index < 0 ? PLAIN : { ink: inks.at(index), ground: grounds.at(index) }),
    indexAt: (position: number): number => lastAtMost(positions, position),
    /** Text of a style is about to be written; what stood there before was thrown away. */
    mark(position: number, style: Style): void {
      while (positions.length > 0 && positions.at(positions.length - 1) >= position) {
        for (const column of [positions, inks, grounds]) column.pop()
      }
      const { ink, ground } = last()
      if (ink === style.ink && ground === style.ground) return
      positions.push(position)
      inks.push(style.ink)
      grounds.push(style.ground)
    },
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

/** Characters (UTF-16 units); a longer line goes on in the next row. */
export const ROW_LENGTH = 4096
