import { z } from 'zod'
import { LONGEST_TIMER_MS } from '../../lib/base/duration.ts'
import { readOptionalJson } from '../http/body.ts'
import { durationUpTo } from '../http/duration-schema.ts'
import type { Handler } from '../services.ts'
import { replyJob } from './reply-job.ts'
import { withJob } from './with-job.ts'

/** Answers once nothing of the job lives any more; `{"grace": "30s"}` is the time between TERM and KILL. */
export const cancelJob: Handler = async (request, { jobs }, { caller, bodyRules, reading, auditLine }) => {
  const { grace } = await readOptionalJson(request, bodySchema, bodyRules)
  return withJob(request.params.id ?? '', jobs, request, reading, async job => {
    await jobs.cancel(job.id, caller, grace, auditLine.begin)
    return replyJob(job, caller)
  })
}

export const bodySchema = z
  .strictObject({
    grace: durationUpTo(LONGEST_TIMER_MS, '24d')
      .meta({
        description:
          'The time between TERM and KILL, at most 24d; `0s` is KILL at once. The default is a setting.',
      })
      .optional(),
  })
  .meta({ id: 'CancelRequest', description: 'How a job is to be stopped.' })
