import { z } from 'zod'
import { parseSignal } from '../../lib/process/exit-status.ts'
import { readJson } from '../http/body.ts'
import { message } from '../http/text.ts'
import type { Handler } from '../services.ts'
import { replyJob } from './reply-job.ts'
import { withJob } from './with-job.ts'

/** Sends a signal and answers with the job as it is: what the job makes of the signal may come later. */
export const signalJob: Handler = async (request, { jobs }, { caller, bodyRules, reading, auditLine }) => {
  const { value } = await readJson(request, bodySchema, bodyRules)
  auditLine.add({ detail: value.signal })
  return withJob(request.params.id ?? '', jobs, request, reading, async job => {
    await jobs.signal(job.id, caller, value.signal, value.to, auditLine.begin)
    return replyJob(job, caller)
  })
}

const NOT_A_SIGNAL = message(
  '应为信号名，例如 "HUP" 或 "SIGHUP"',
  'must be the name of a signal, such as "HUP" or "SIGHUP"',
)

export const bodySchema = z
  .strictObject({
    signal: z
      .string()
      .meta({
        description: 'Its name, as `kill -l` lists it, with or without SIG.',
        pattern: '^(SIG)?[A-Z0-9]+$',
        examples: ['HUP'],
      })
      .transform((text, context) => {
        const signal = parseSignal(text)
        if (signal) return signal
        context.addIssue({ code: 'custom', message: NOT_A_SIGNAL })
        return z.NEVER
      }),
    to: z
      .enum(['leader', 'all'])
      .default('leader')
      .meta({ description: "The job's own process, or all of its processes." }),
  })
  .meta({ id: 'SignalRequest', description: 'Which signal is to be sent, and to what.' })
