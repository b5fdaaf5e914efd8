import { z } from 'zod'
import { parseDuration } from '../../lib/base/duration.ts'
import { JOB_STATES, type JobState } from '../../lib/jobs/job.ts'
import { validateQuery } from '../http/query.ts'
import { listMeta, numberMeta } from '../http/query-values.ts'
import { ok } from '../http/reply.ts'
import { message } from '../http/text.ts'
import type { Handler } from '../services.ts'
import { jobInList } from './job-in-list.ts'
import { isLabel, MOST_LABELS } from './label.ts'

/** Newest first, without output; `before` is the id of the last job of the page before. */
export const listJobs: Handler = async (request, { jobs }) => {
  const { state, label, q, since, until, ...rest } = validateQuery(querySchema, request.url)
  const query = { ...rest, states: state, labels: label, text: q, sinceMs: since, untilMs: until }
  return ok((await jobs.list(query)).map(jobInList))
}

const NOT_A_LIMIT = message('应为 1 到 200 的整数', 'must be a whole number from 1 to 200')

const NOT_A_STATE = message(
  `应为 ${JOB_STATES.join(' 或 ')}，可用逗号并列`,
  `must be ${JOB_STATES.join(' or ')}, or several with commas between them`,
)
const NOT_A_TIME = message(
  '应为多久以前（例如 "1h"）或 RFC 3339 时间（例如 "2026-01-31T12:00:00Z"）',
  'must be how long ago, such as "1h", or a time as RFC 3339 has it, such as "2026-01-31T12:00:00Z"',
)
const NOT_A_LABEL = message(
  '应为 name=value，可用逗号并列',
  'must be name=value, or several with commas between them',
)

/** A duration counts back from now. A plus sign that was not escaped arrives as a space. */
const time = z
  .string()
  .meta({ examples: ['1h', '2026-01-31T12:00:00Z'] })
  .transform((text, context) => {
    const ago = parseDuration(text)
    if (ago !== undefined) return Date.now() - ago
    const instant = RFC_3339.test(text) && isDay(text) ? Date.parse(text.replace(' ', '+')) : Number.NaN
    if (!Number.isNaN(instant)) return instant
    context.addIssue({ code: 'custom', message: NOT_A_TIME })
    return z.NEVER
  })
/** Date.parse takes the 30th of February for the 2nd of March. */
const isDay = (text: string): boolean => {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number]
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[-+ ]\d\d:\d\d)$/

const states = z
  .string()
  .transform(text => [...new Set(text.split(','))] as JobState[])
  .refine(all => all.every(state => JOB_STATES.includes(state)), NOT_A_STATE)

const labels = z
  .string()
  .transform(text => [...new Set(text.split(','))])
  .refine(all => all.length <= MOST_LABELS && all.every(isLabel), NOT_A_LABEL)

const notEmpty = z.string().min(1, message('不能为空', 'must not be empty'))

/** The parameters of the query, as they are written. */
export const querySchema = z.object({
  state: states
    .optional()
    .meta(listMeta('Only jobs in one of these states.', { type: 'string', enum: JOB_STATES })),
  label: labels
    .optional()
    .meta(listMeta('Only with all of these labels.', { type: 'string', pattern: '=' }, MOST_LABELS)),
  caller: notEmpty.optional().meta({ description: 'Only what the key with this id has submitted.' }),
  // SQLite's LIKE ends at one.
  q: notEmpty
    .refine(text => !text.includes('\0'), message('不能含有 NUL 字符', 'must not have a NUL character'))
    .optional()
    .meta({ description: 'Only with this text in the command, the params or the name of the script.' }),
  since: time.optional().meta({ description: 'Only created at this time, or so long ago, or later.' }),
  until: time.optional().meta({ description: 'Only created before that.' }),
  limit: z
    .string()
    .regex(/^(200|1?\d{1,2})$/, NOT_A_LIMIT)
    .transform(Number)
    .refine(limit => limit >= 1, NOT_A_LIMIT)
    .default(50)
    .meta(numberMeta('How many, newest first.', { minimum: 1, maximum: 200, default: 50 })),
  before: z
    .string()
    .regex(/^[0-9a-f]{32}$/, message('应为任务 ID', 'must be the id of a job'))
    .optional()
    .meta({ description: 'Only older than the job with this id: for the next page, the last of this one.' }),
})
