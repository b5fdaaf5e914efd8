import { jobInList } from '../../../../handlers/jobs/job-in-list.ts'
import type { ListedJob } from '../../../../lib/client/client.ts'
import type { Job, RunningJob } from '../../../../lib/jobs/job.ts'
import { endOf, NO_OUTPUT, runningJob, SOME_TIME } from '../../../support/sample-jobs.ts'

export const listed = (job: Job): ListedJob => jobInList({ job, output: NO_OUTPUT, livingLeftovers: 0 })

export const idOf = (number: number): string => number.toString(16).padStart(32, '0')

/** Created, started and ended. */
export const lifeOf = (number: number, given: Partial<RunningJob> = {}) => {
  const created = runningJob({ id: idOf(number), ...given })
  const started = { ...created, pid: 4321, startTime: SOME_TIME }
  return { created: listed(created), started: listed(started), ended: listed(endOf(started)) }
}
