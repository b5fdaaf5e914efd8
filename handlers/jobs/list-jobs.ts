import { z } from 'zod'
import { JOB_STATES, type JobRecord } from '../../lib/jobs/job.ts'
import { validateQuery } from '../http/query.ts'
import { ok } from '../http/reply.ts'
import { message } from '../http/text.ts'
import type { Handler } from '../services.ts'
import { cutToBytes } from './cut-to-bytes.ts'
import { jobToJson } from './job-json.ts'

/** Newest first, without output; `before` is the id of the last job of the page before. */
export const listJobs: Handler = (request, { jobs }) =>
  ok(jobs.list(validateQuery(querySchema, request.url)).map(inList))

/** A job as a list has it: a page of whole commands could be 50 MB. */
const inList = (record: JobRecord) => {
  const whole = jobToJson(record)
  const cmd = cutToBytes(whole.cmd, MOST_BYTES_IN_LIST)
  const params = cutToBytes(whole.params, MOST_BYTES_IN_LIST)
  const execCmd = cutToBytes(whole.execCmd, MOST_BYTES_IN_LIST)
  return {
    ...whole,
    cmd,
    params,
    execCmd,
    cmdTruncated: cmd !== whole.cmd,
    paramsTruncated: params !== whole.params,
    execCmdTruncated: execCmd !== whole.execCmd,
  }
}

const MOST_BYTES_IN_LIST = 1024

const NOT_A_LIMIT = message('应为 1 到 200 的整数', 'must be a whole number from 1 to 200')

const querySchema = z.object({
  state: z.enum(JOB_STATES).optional(),
  limit: z
    .string()
    .regex(/^(200|1?\d{1,2})$/, NOT_A_LIMIT)
    .transform(Number)
    .refine(limit => limit >= 1, NOT_A_LIMIT)
    .default(50),
  before: z
    .string()
    .regex(/^[0-9a-f]{32}$/, message('应为任务 ID', 'must be the id of a job'))
    .optional(),
})
