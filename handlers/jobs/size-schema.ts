import { z } from 'zod'
import { parseSize } from '../../lib/base/size.ts'
import { message } from '../http/text.ts'

export const NOT_A_SIZE = message(
  '应为字节数或大小，例如 "1mb"',
  'must be a number of bytes, or a size such as "1mb"',
)

/** As parseSize reads it. */
const SIZE = '^\\d{1,12}(\\.\\d{1,6})? ?([kKmMgGtT]?[bB])?$'

/** Bytes as a number, or a size such as "1mb"; `error` is told for anything else, and for what is out of the range. */
export const sizeInBytes = (least: number, error: string, most = Number.MAX_SAFE_INTEGER) =>
  z
    .union(
      [
        z.int(error).min(least, error).max(most, error),
        z.string().meta({ pattern: SIZE, examples: ['1gb'] }),
      ],
      error,
    )
    .transform((size, context) => {
      const value = typeof size === 'number' ? size : parseSize(size)
      if (value !== undefined && value >= least && value <= most) return value
      context.addIssue({ code: 'custom', message: error })
      return z.NEVER
    })
