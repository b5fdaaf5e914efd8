import { computed } from '@preact/signals'
import { h } from 'preact'
import { useMemo } from 'preact/hooks'
import { html } from '../html.ts'
import type { JobList } from './job-list.ts'
import type { RowActions } from './job-row.ts'
import { JobTable } from './job-table.ts'
import { NoJobs, type NoJobsProps } from './no-jobs.ts'
import { OlderJobs } from './older-jobs.ts'
import { countEnded } from './sections.ts'
import { words } from './words.ts'

export interface FoundJobsProps extends NoJobsProps {
  list: JobList
  /** Another list is to take its place. */
  isBusy: boolean
  actions: RowActions
  onSelect(id: string): void
}

/** The jobs of a list, and older ones as one scrolls; or why there are none. */
export const FoundJobs = ({ list, isBusy, actions, onSelect, mayRun, isFiltered }: FoundJobsProps) => {
  const { sections } = list
  const isEmpty = useMemo(
    () => computed(() => sections.value.running.length === 0 && countEnded(sections.value) === 0),
    [sections],
  )
  if (isEmpty.value) {
    if (!list.isRead.value) return html`<p class="quiet">${words.loading}</p>`
    return list.fault.value ? null : h(NoJobs, { mayRun, isFiltered })
  }
  return [
    h(JobTable, { sections, isBusy, actions, onSelect, key: 'table' }),
    h(OlderJobs, { list, key: 'older' }),
  ]
}
