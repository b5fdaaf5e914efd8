import { z } from 'zod'
import { JOB_STATES } from '../../lib/jobs/job.ts'
import { ok } from '../http/reply.ts'
import { validateQuery } from '../http/validate.ts'
import type { Handler } from '../services.ts'

/** Newest first, without output; `before` is the id of the last job of the page before. */
export const listJobs: Handler = (request, { jobs }) =>
  ok(jobs.list(validateQuery(querySchema, ['state', 'limit', 'before'], request.url)))

const querySchema = z.object({
  state: z.enum(JOB_STATES).optional(),
  limit: z
    .string()
    .regex(/^(200|1?\d{1,2})$/, '应为 1 到 200 的整数')
    .transform(Number)
    .refine(limit => limit >= 1, '应为 1 到 200 的整数')
    .default(50),
  before: z
    .string()
    .regex(/^[0-9a-f]{32}$/, '应为任务 ID')
    .optional(),
})
