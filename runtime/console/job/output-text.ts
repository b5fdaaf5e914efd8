import type { Output } from '../output/output.ts'
import { createShownRows, type Shown } from '../output/shown-rows.ts'

/** What is shown of an output, as one text: without escapes, and what is missing named where it is. */
export const outputText = (
  output: Output,
  shown: Shown,
  gapText: (bytes: number | null) => string,
): string => {
  const rows = createShownRows(output, shown)
  const lines: string[] = []
  // Of each stream, where in `lines` its last line is.
  const last = { stdout: -1, stderr: -1 }
  for (let place = 0; place < rows.length; place++) {
    const row = rows.at(place)
    if (row.type === 'gap') {
      lines.push(`[${gapText(row.bytes)}]`)
      continue
    }
    const text = output.rows[row.type].textOf(row.index)
    if (row.isContinuation && last[row.type] >= 0) lines[last[row.type]] += text
    else last[row.type] = lines.push(text) - 1
  }
  return lines.map(line => `${line}\n`).join('')
}
