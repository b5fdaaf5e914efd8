import { z } from 'zod'
import { DURATION, parseDuration } from '../../lib/base/duration.ts'
import { message } from './text.ts'

/** A duration such as "30s" in milliseconds, at most `mostMs`; `most` says that to the client. */
export const durationUpTo = (mostMs: number, most: string) =>
  durationText.transform((text, context) => {
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

/** Text that a transform is to make a duration of. */
export const durationText = z.string().meta({ pattern: DURATION.source, examples: ['30s'] })
