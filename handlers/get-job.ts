import { z } from 'zod'
import { parseDuration } from '../lib/duration.ts'
import { okJob } from './reply.ts'
import type { Handler } from './services.ts'
import { validateQuery } from './validate.ts'

/** `?wait=30s` answers when the job has ended, or after that time; `?output=false` leaves its output out. */
export const getJob: Handler = async (request, { jobs }) => {
  const { wait, output } = validateQuery(querySchema, ['wait', 'output'], request.url)
  const id = request.params.id ?? ''
  if (wait !== undefined) await jobs.waitForEnd(id, wait)
  return okJob(await jobs.get(id, { output }))
}

const querySchema = z.object({
  wait: z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== undefined && ms <= LONGEST_WAIT_MS) return ms
      context.addIssue({ code: 'custom', message: '应为不超过 10m 的时长，例如 30s' })
      return z.NEVER
    })
    .optional(),
  output: z
    .enum(['true', 'false'])
    .default('true')
    .transform(text => text === 'true'),
})

const LONGEST_WAIT_MS = 10 * 60_000
