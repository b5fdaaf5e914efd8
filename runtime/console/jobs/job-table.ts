import type { ReadonlySignal } from '@preact/signals'
import { h } from 'preact'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { html } from '../html.ts'
import { JobRow, type RowActions } from './job-row.ts'
import { createRowGroups } from './row-groups.ts'
import type { Sections } from './sections.ts'
import { useKeptPlace } from './use-kept-place.ts'
import { words } from './words.ts'

export interface JobTableProps {
  sections: ReadonlySignal<Sections>
  isBusy: boolean
  actions: RowActions
  onSelect(id: string): void
}

/** The jobs, the running ones first. Rows are as high as each other, so that their place is known before they are drawn. */
export const JobTable = ({ sections, isBusy, actions, onSelect }: JobTableProps) => {
  const table = useRef<HTMLDivElement>(null)
  const groupOf = useMemo(() => createRowGroups(job => h(JobRow, { job, actions, key: job.id })), [actions])
  const { running, chunks } = sections.value

  useKeptPlace(table)
  // A row that goes to another group loses the focus, which it is to have again.
  const focused = rowOf(document.activeElement)
  useLayoutEffect(() => {
    if (focused !== undefined && document.activeElement === document.body) focusRow(table.current, focused)
  })

  const onFocus = (event: Event): void => {
    const id = rowOf(event.target as Element)
    if (id !== undefined) onSelect(id)
  }
  return html`<div role="table" class="jobs-table" ref=${table} aria-label=${words.jobs} aria-busy=${isBusy} onFocusIn=${onFocus}>
    <div role="rowgroup" class="jobs-head"><div role="row" class="job">${COLUMNS.map(
      name => html`<div role="columnheader" class=${`job-${name}`}>${words.columns[name]}</div>`,
    )}</div></div>
    ${groupOf('running', running)}
    ${chunks.map(({ key, jobs }) => groupOf(`ended ${key}`, jobs))}
  </div>`
}

const COLUMNS = ['state', 'command', 'labels', 'caller', 'created', 'duration', 'outcome'] as const

/** The id of the job whose row it is in. */
const rowOf = (element: Element | null): string | undefined =>
  element?.closest<HTMLElement>('.job[data-id]')?.dataset.id

/** Gives the row the focus, and brings it into view; by default as little as it takes. */
export const focusRow = (
  within: ParentNode | null,
  id: string,
  scroll: 'nearest' | 'none' = 'none',
): void => {
  const row = within?.querySelector<HTMLElement>(`.job[data-id="${id}"]`)
  row?.querySelector<HTMLElement>('.job-command a')?.focus({ preventScroll: true })
  if (scroll === 'nearest') row?.scrollIntoView({ block: 'nearest' })
}
