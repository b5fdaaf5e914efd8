/** A character on the screen. */
export interface Cell {
  character: string
  style: Style
  /** When it appears. */
  atMs: number
}

export interface Style {
  bold: boolean
  dim: boolean
  /** 0 to 7, and 8 to 15 for the bright ones; undefined for that of the terminal. */
  color: number | undefined
}

export interface Screen {
  rows: Cell[][]
  write(text: string, atMs: number): void
}

const PLAIN: Style = { bold: false, dim: false, color: undefined }

/**
 * As much of a terminal as a command line uses (ECMA-48): colours, lines that wrap, carriage returns, and erasing of
 * lines. It is as high as what is written; what is overwritten is as if it had never been there.
 */
export const createScreen = (columns: number): Screen => {
  const rows: Cell[][] = [[]]
  let [row, column] = [0, 0]
  let style = PLAIN

  const put = (character: string, atMs: number): void => {
    if (column === columns) {
      moveTo(row + 1)
      column = 0
    }
    const cells = rows[row]!
    while (cells.length < column) cells.push({ character: ' ', style: PLAIN, atMs })
    cells[column++] = { character, style, atMs }
  }

  const moveTo = (next: number): void => {
    row = Math.max(0, next)
    while (rows.length <= row) rows.push([])
  }

  const control = (parameters: number[], final: string): void => {
    if (final === 'm') style = applyStyle(style, parameters)
    else if (final === 'K') rows[row]!.splice(parameters[0] === 2 ? 0 : column)
    else if (final === 'A') moveTo(row - (parameters[0] || 1))
    else if (final === 'G') column = (parameters[0] || 1) - 1
    else if (final === 'J') {
      rows[row]!.splice(column)
      rows.splice(row + 1)
    }
  }

  return {
    rows,
    write(text, atMs) {
      for (const [token, parameters, final] of text.matchAll(TOKENS)) {
        if (final !== undefined) control(parameters!.split(';').map(Number), final)
        else if (token === '\n') moveTo(row + 1)
        else if (token === '\r') column = 0
        else if (token === '\t') column = (Math.floor(column / 8) + 1) * 8
        else if (token >= ' ' && !token.startsWith('\x1b')) put(token, atMs)
      }
    },
  }
}

/** Control sequences, operating system commands, other escapes, and single characters. */
const TOKENS = /\x1b\[\??([\d;]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\s\S]/gu

const applyStyle = (style: Style, parameters: number[]): Style => {
  let next = style
  for (const parameter of parameters) {
    if (parameter === 0) next = PLAIN
    else if (parameter === 1) next = { ...next, bold: true }
    else if (parameter === 2) next = { ...next, dim: true }
    else if (parameter === 22) next = { ...next, bold: false, dim: false }
    else if (parameter >= 30 && parameter <= 37) next = { ...next, color: parameter - 30 }
    else if (parameter === 39) next = { ...next, color: undefined }
    else if (parameter >= 90 && parameter <= 97) next = { ...next, color: parameter - 82 }
  }
  return next
}
