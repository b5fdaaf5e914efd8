import type { ComponentChildren } from 'preact'
import { html } from '../html.ts'
import { sizeText } from '../size.ts'
import { lookOf } from './look.ts'
import { type Marks, type Segment, segmentsOf } from './segments.ts'
import type { ShownRow } from './shown-rows.ts'
import type { RowTime } from './times.ts'
import type { View } from './view.ts'
import { words } from './words.ts'

/** One row of the output. What the job has written is text in it, and cannot reorder what is around it. */
export const outputRow = (view: View, row: ShownRow, marks: Marks | undefined): ComponentChildren => {
  if (row.type === 'gap') {
    const text = row.bytes === null ? words.unknownGap : words.gap(sizeText(row.bytes))
    return html`<div key=${row.row} class="output-row output-gap">${text}</div>`
  }
  const isErr = row.type === 'stderr'
  return html`<div key=${row.row} class=${isErr ? 'output-row output-err' : 'output-row'}>
    ${isErr && !row.isContinuation ? html`<span class="unseen output-aside">${words.stderr}: </span>` : null}
    ${view.hasNumbers.value ? html`<span class="output-aside output-number">${row.isContinuation ? '' : row.line}</span>` : null}
    ${view.hasTimes.value ? time(row.isContinuation ? undefined : view.output.times.of(row.row)) : null}
    <bdi class="output-text">${content(segmentsOf(view.output.rows[row.type], row.index, marks))}</bdi>
  </div>`
}

/** A line that is empty is copied as one. */
const content = (segments: Segment[]) => (segments.length === 0 ? html`<br />` : segments.map(segment))

const segment = ({ text, style, mark, isName }: Segment) => {
  const look = lookOf(style)
  if (mark !== 'none') return html`<mark class=${`${look.class} ${mark}`}>${text}</mark>`
  const name = isName ? `${look.class} output-name` : look.class
  const isPlain = name === '' && Object.keys(look.style).length === 0
  return isPlain ? text : html`<span class=${name} style=${look.style}>${text}</span>`
}

const time = (time: RowTime | undefined) =>
  html`<time class="output-aside output-time" datetime=${time?.exact} title=${time?.exact}>${time ? TIME.format(time.ms) : ''}</time>`

const TIME = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})
