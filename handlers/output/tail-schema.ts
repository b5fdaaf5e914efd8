import { z } from 'zod'
import { numberMeta } from '../http/query-values.ts'
import { message } from '../http/text.ts'

/** A parameter of a query: how many lines, at the end of what is kept. */
export const tailSchema = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, message('应为大于 0 的行数', 'must be a number of lines, 1 or more'))
  .transform(Number)
  .optional()
  .meta(numberMeta('Begin with so many last lines.', { minimum: 1, maximum: 999_999_999 }))
