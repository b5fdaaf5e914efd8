import { z } from 'zod'
import { NOTIFY_ON } from '../../lib/jobs/job.ts'
import { callbackUrl, LONGEST_URL } from '../../lib/notify/callback-url.ts'
import { message } from '../http/text.ts'

const NOT_A_URL = message(
  `应为最多 ${LONGEST_URL} 个字符的 http 或 https 网址，不含用户名和密码，例如 "https://ci.example.com/done"`,
  `must be an http or https URL of at most ${LONGEST_URL} characters, without a user or password, such as "https://ci.example.com/done"`,
)
const NOT_ON = message(
  `应为 1 到 ${NOTIFY_ON.length} 个不重复的 ${NOTIFY_ON.join('、')}`,
  `must be 1 to ${NOTIFY_ON.length} different ones of ${NOTIFY_ON.join(', ')}`,
)

const url = z
  .string()
  .transform((text, context) => {
    const parsed = callbackUrl(text)
    if (parsed) return parsed.href
    context.addIssue({ code: 'custom', message: NOT_A_URL })
    return z.NEVER
  })
  .meta({
    description: 'Where it is told: of an origin that the agent allows.',
    maxLength: LONGEST_URL,
    pattern: '^[Hh][Tt][Tt][Pp][Ss]?:',
    examples: ['https://ci.example.com/done'],
  })

const on = z
  .array(z.enum(NOTIFY_ON))
  .refine(items => items.length > 0 && new Set(items).size === items.length, NOT_ON)
  .meta({
    description: '`ended` is any end of a job; `rejected` is told of one that had no slot.',
    minItems: 1,
    uniqueItems: true,
  })

/** Who is to be told what happens to a job. */
export const notifySchema = z.strictObject({ url, on: on.default(['ended']) }).meta({
  description:
    'Who is told what happens to the job, by signed requests that are repeated until one succeeds.',
})
