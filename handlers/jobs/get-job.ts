import { z } from 'zod'
import { durationUpTo } from '../http/duration-schema.ts'
import { validateQuery } from '../http/validate.ts'
import type { Handler } from '../services.ts'
import { okJob } from './reply-job.ts'

/** `?wait=30s` answers when the job has ended, or after that time; `?output=false` leaves its output out. */
export const getJob: Handler = async (request, { jobs }) => {
  const { wait, output } = validateQuery(querySchema, ['wait', 'output'], request.url)
  const id = request.params.id ?? ''
  if (wait !== undefined) await jobs.waitForEnd(id, wait)
  return okJob(await jobs.get(id, { output }), jobs, request.signal, { output })
}

const querySchema = z.object({
  wait: durationUpTo(10 * 60_000, '10m').optional(),
  output: z
    .enum(['true', 'false'])
    .default('true')
    .transform(text => text === 'true'),
})
