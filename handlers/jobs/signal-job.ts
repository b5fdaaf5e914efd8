import { z } from 'zod'
import { parseSignal } from '../../lib/process/exit-status.ts'
import { readJson } from '../http/body.ts'
import type { Handler } from '../services.ts'
import { okJob } from './reply-job.ts'

/** A mere signal: it changes no state by itself, what the job makes of it is told as it happens. */
export const signalJob: Handler = async (request, { jobs, bodyLimit }) => {
  const { value } = await readJson(request, bodySchema, bodyLimit)
  const job = await jobs.signal(request.params.id ?? '', value.signal, value.to)
  return okJob(job, jobs, request.signal)
}

const bodySchema = z.strictObject({
  signal: z.string().transform((text, context) => {
    const signal = parseSignal(text)
    if (signal) return signal
    context.addIssue({ code: 'custom', message: '应为信号名，例如 "HUP" 或 "SIGHUP"' })
    return z.NEVER
  }),
  to: z.enum(['leader', 'all']).default('leader'),
})
