import type { Step } from './record.ts'
import { type Cell, createScreen } from './screen.ts'

/** Draws a session as an SVG that types and prints as it happened, and then stands still. */
export const draw = (steps: Step[], columns: number): string => {
  const { rows, endMs } = play(steps, columns)
  const width = columns * CELL_WIDTH + 2 * PADDING
  const height = rows.length * LINE_HEIGHT + BAR_HEIGHT + PADDING
  const lines = rows.flatMap((cells, row) => runsOf(cells).map(run => drawRun(run, row)))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="newdt on a terminal">
<style>${STYLE}</style>
<rect class="window" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
${[0, 1, 2].map(index => `<circle class="button" cx="${20 + 18 * index}" cy="19" r="5.5"/>`).join('')}
${lines.join('\n')}
<rect class="cursor" x="${PADDING + 2 * CELL_WIDTH}" y="${topOf(rows.length - 1) + 2}" width="${CELL_WIDTH}" height="${LINE_HEIGHT - 4}" style="animation-delay:${seconds(endMs)}"/>
</svg>
`
}

const CELL_WIDTH = 8.4
const LINE_HEIGHT = 20
const PADDING = 20
const BAR_HEIGHT = 40

/** Pauses of the one who types, and the longest that is shown of those of a command. */
const BEFORE_TYPING_MS = 500
const TYPING_MS = 32
const AFTER_TYPING_MS = 250
const AFTER_OUTPUT_MS = 1_100
const MOST_PAUSE_MS = 1_200

const play = (steps: Step[], columns: number): { rows: Cell[][]; endMs: number } => {
  const screen = createScreen(columns)
  let now = 0
  for (const { command, output } of steps) {
    screen.write(PROMPT, now)
    now += BEFORE_TYPING_MS
    for (const character of command) {
      now += TYPING_MS
      screen.write(character, now)
    }
    screen.write('\r\n', now)
    now += AFTER_TYPING_MS
    let previousMs = 0
    for (const { atMs, text } of output) {
      now += Math.min(atMs - previousMs, MOST_PAUSE_MS)
      previousMs = atMs
      screen.write(text, now)
    }
    if (screen.rows.at(-1)!.length > 0) screen.write('\r\n', now)
    now += AFTER_OUTPUT_MS
  }
  screen.write(PROMPT, now)
  return { rows: screen.rows, endMs: now }
}

const PROMPT = '\x1b[1;32m$\x1b[0m '

/** Cells of one style, from a column on, without the blanks at the ends. */
interface Run {
  column: number
  cells: Cell[]
}

const runsOf = (cells: Cell[]): Run[] => {
  const runs: Run[] = []
  for (const [column, cell] of cells.entries()) {
    const run = runs.at(-1)
    if (cell.character === ' ' && (run === undefined || run.cells.at(-1)!.style !== cell.style)) continue
    const follows = run !== undefined && run.column + run.cells.length === column
    if (follows && run.cells[0]!.style === cell.style) run.cells.push(cell)
    else runs.push({ column, cells: [cell] })
  }
  for (const { cells } of runs) while (cells.at(-1)?.character === ' ') cells.pop()
  return runs
}

/** With the length that it must have: another font than expected must not push columns out of line. */
const drawRun = ({ column, cells }: Run, row: number): string => {
  const { style } = cells[0]!
  const classes = [
    style.bold && 'bold',
    style.dim && 'dim',
    style.color !== undefined && `color${style.color % 8}`,
  ]
  const names = classes.filter(name => name !== false).join(' ')
  return [
    `<text${names && ` class="${names}"`} x="${round(leftOf(column))}" y="${topOf(row) + 15}"`,
    ` textLength="${round(cells.length * CELL_WIDTH)}">${partsOf(cells).map(drawPart).join('')}</text>`,
  ].join('')
}

/** What appears at one time. */
interface Part {
  text: string
  atMs: number
}

const partsOf = (cells: Cell[]): Part[] => {
  const parts: Part[] = []
  for (const { character, atMs } of cells) {
    const part = parts.at(-1)
    // A blank cannot be seen to appear.
    if (part !== undefined && (part.atMs === atMs || character === ' ')) part.text += character
    else parts.push({ text: character, atMs })
  }
  return parts
}

const drawPart = ({ text, atMs }: Part): string =>
  `<tspan style="animation-delay:${seconds(atMs)}">${escaped(text)}</tspan>`

const leftOf = (column: number): number => PADDING + column * CELL_WIDTH
const topOf = (row: number): number => BAR_HEIGHT + row * LINE_HEIGHT
const round = (value: number): number => Number(value.toFixed(1))
const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(2))}s`
const escaped = (text: string): string =>
  text.replace(/[&<>]/g, character => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!)

const themeOf = ([window, edge, text, dim, ...colors]: string[]): string =>
  `svg{--window:${window};--edge:${edge};--text:${text};--dim:${dim};${colors.map((color, index) => `--color${index}:${color}`).join(';')}}`

const DARK = '#0d1117 #30363d #e6edf3 #8b949e #6e7681 #ff7b72 #3fb950 #d29922 #58a6ff #bc8cff #39c5cf #b1bac4'
const LIGHT =
  '#ffffff #d0d7de #1f2328 #656d76 #24292f #cf222e #1a7f37 #9a6700 #0969da #8250df #1b7c83 #57606a'

const STYLE = `
${themeOf(DARK.split(' '))}
@media (prefers-color-scheme:light){${themeOf(LIGHT.split(' '))}}
text{font:14px ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:var(--text);white-space:pre}
tspan{animation:show 1ms both}
.window{fill:var(--window);stroke:var(--edge)}
.button{fill:var(--edge)}
.cursor{fill:var(--dim);animation:show 1ms both}
.bold{font-weight:600}
.dim{fill:var(--dim)}
${[0, 1, 2, 3, 4, 5, 6, 7].map(index => `.color${index}{fill:var(--color${index})}`).join('')}
@keyframes show{from{fill-opacity:0}to{fill-opacity:1}}
@media (prefers-reduced-motion:reduce){tspan,.cursor{animation:none}}
`
