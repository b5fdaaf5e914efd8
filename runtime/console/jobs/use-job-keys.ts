import type { RefObject } from 'preact'
import type { ListedJob } from '../../../lib/client/client.ts'
import { jobAddress } from '../route.ts'
import { useShortcuts } from '../shortcuts.ts'
import type { JobList } from './job-list.ts'
import type { RowActions } from './job-row.ts'
import { focusRow } from './job-table.ts'
import type { JobsMemory } from './jobs-memory.ts'
import { allJobs, findJob } from './sections.ts'

export interface JobKeysOptions {
  page: RefObject<HTMLElement | null>
  /** The jobs that one sees. */
  shown: JobList
  memory: Pick<JobsMemory, 'selected'>
  actions: Pick<RowActions, 'mayCancel' | 'onCancel'>
  onKeys(): void
  /** The key `c`, on a job that one may not cancel. */
  onMayNot(): void
}

/** What keys do on the page of jobs; `KeysDialog` tells them. */
export const useJobKeys = ({ page, shown, memory, actions, onKeys, onMayNot }: JobKeysOptions): void => {
  const move = (by: number): void => {
    const jobs = allJobs(shown.sections.peek())
    const at = jobs.findIndex(({ id }) => id === memory.selected.peek())
    const job = jobs[at < 0 ? 0 : Math.max(0, Math.min(jobs.length - 1, at + by))]
    if (job) focusRow(page.current, job.id, 'nearest')
    if (at + by >= jobs.length) void shown.readOlder()
  }
  const selectedJob = (): ListedJob | undefined => {
    const id = memory.selected.peek()
    return id === undefined ? undefined : findJob(shown.sections.peek(), id)
  }
  useShortcuts({
    '/': () => {
      const field = page.current?.querySelector<HTMLInputElement>('input[name=q]')
      field?.focus()
      field?.select()
    },
    j: () => move(1),
    k: () => move(-1),
    Enter: () => {
      const job = selectedJob()
      if (job) location.hash = jobAddress(job.id)
    },
    c: () => {
      const job = selectedJob()
      if (job?.state === 'running') (actions.mayCancel(job) ? actions.onCancel : onMayNot)(job)
    },
    '?': onKeys,
  })
}
