import { z } from 'zod'
import { durationUpTo } from '../http/duration-schema.ts'
import { validateQuery } from '../http/query.ts'
import { flag } from '../http/query-values.ts'
import type { Handler } from '../services.ts'
import { replyJob } from './reply-job.ts'
import { withJob } from './with-job.ts'

/** `?wait=30s` answers when the job has ended, or after that time; `?output=false` leaves its output out. */
export const getJob: Handler = (request, { jobs, notifications }, { caller, reading }) => {
  const { wait, output } = validateQuery(querySchema, request.url)
  return withJob(request.params.id ?? '', jobs, request, reading, async job => {
    if (wait !== undefined) await job.waitForEnd({ ms: wait, signal: request.signal })
    // For a client that has gone nobody need look at what the job uses.
    const usage = !request.signal.aborted
    return replyJob(job, caller, { output, usage, notifications: notifications(job.id) })
  })
}

export const querySchema = z.object({
  wait: durationUpTo(10 * 60_000, '10m')
    .optional()
    .meta({ description: 'Answer when the job has ended, or after this time, at most 10m.' }),
  output: flag(true, '`false` leaves its stdout and stderr out.'),
})
