import type { JobEvent } from '../../../../lib/client/types.ts'
import { createOutput, type Output, type StreamName } from '../../../../runtime/console/output/output.ts'
import { createShownRows, type Shown } from '../../../../runtime/console/output/shown-rows.ts'

/** An event of output, from text or bytes. */
export const chunk = (stream: StreamName, content: string | Uint8Array, seq = 1): JobEvent => ({
  type: stream,
  seq,
  time: '2026-07-29T08:15:30.123456+02:00',
  position: 0,
  bytes: typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content),
})

/** The end of a job; the output looks at nothing else of it. */
export const END = { type: 'end', job: {} } as JobEvent

export const outputOf = async (events: JobEvent[], encoding?: string): Promise<Output> => {
  const output = createOutput({ encoding })
  for (const event of events) await output.feed(event)
  return output
}

/** The rows in a form that is easy to compare: `out: text`, `err: text`, `out+ text` for a piece, `gap: 5`. */
export const rowsOf = (output: Output, shown: Shown = 'both'): string[] => {
  const rows = createShownRows(output, shown)
  return Array.from({ length: rows.length }, (_, place) => {
    const row = rows.at(place)
    if (row.type === 'gap') return `gap: ${row.bytes}`
    return `${row.type.slice(3)}${row.isContinuation ? '+' : ':'} ${output.rows[row.type].textOf(row.index)}`
  })
}
