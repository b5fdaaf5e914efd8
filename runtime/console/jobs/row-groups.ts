import type { ComponentChildren } from 'preact'
import type { ListedJob } from '../../../lib/client/client.ts'
import { html } from '../html.ts'

/**
 * Makes the elements of groups of rows. The same jobs give the same element, which Preact does not look into again; so
 * does one job alone.
 */
export const createRowGroups = <Row extends object>(createRow: (job: ListedJob) => Row) => {
  const rows = new WeakMap<ListedJob, Row>()
  const groups = new WeakMap<readonly ListedJob[], ComponentChildren>()
  const rowFor = (job: ListedJob): Row => {
    const row = rows.get(job) ?? createRow(job)
    rows.set(job, row)
    return row
  }
  return (key: string, jobs: readonly ListedJob[]): ComponentChildren => {
    const known = groups.get(jobs)
    if (known) return known
    const group = html`<div role="rowgroup" key=${key} class="jobs-group" hidden=${jobs.length === 0}>${jobs.map(rowFor)}</div>`
    groups.set(jobs, group)
    return group
  }
}
