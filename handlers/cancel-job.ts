import { z } from 'zod'
import { LONGEST_TIMER_MS, parseDuration } from '../lib/duration.ts'
import { readOptionalJson } from './body.ts'
import { okJob } from './reply.ts'
import type { Handler } from './services.ts'

/** Answers once nothing of the job lives any more; `{"grace": "30s"}` is the time between TERM and KILL. */
export const cancelJob: Handler = async (request, { jobs, bodyLimit }) => {
  const { grace } = await readOptionalJson(request, bodySchema, bodyLimit)
  return okJob(await jobs.cancel(request.params.id ?? '', grace))
}

const bodySchema = z.strictObject({
  grace: z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== undefined && ms <= LONGEST_TIMER_MS) return ms
      context.addIssue({ code: 'custom', message: '应为不超过 24d 的时长，例如 "30s"' })
      return z.NEVER
    })
    .optional(),
})
