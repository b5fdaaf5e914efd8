import { z } from 'zod'
import { parseDuration } from '../../lib/base/duration.ts'
import { message } from './text.ts'

/** A duration such as "30s" in milliseconds, at most `mostMs`; `most` says that to the client. */
export const durationUpTo = (mostMs: number, most: string) =>
  z.string().transform((text, context) => {
    const ms = parseDuration(text)
    if (ms !== undefined && ms <= mostMs) return ms
    context.addIssue({
      code: 'custom',
      message: message(
        `应为不超过 ${most} 的时长，例如 30s`,
        `must be a duration of at most ${most}, such as 30s`,
      ),
    })
    return z.NEVER
  })
