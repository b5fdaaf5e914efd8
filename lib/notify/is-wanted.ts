import type { JobEvent } from '../jobs/events.ts'
import type { NotifyOn } from '../jobs/job.ts'

/** Whether somebody who asked for these is to be told of an event. */
export const isWanted = (on: readonly NotifyOn[], { kind, job }: JobEvent): boolean => {
  if (kind === 'created') return false
  if (kind === 'ended') return on.includes('ended') || on.includes(job.state)
  return on.includes(kind)
}
