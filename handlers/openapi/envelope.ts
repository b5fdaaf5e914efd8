import { type ZodType, z } from 'zod'
import type { errorAnswer } from '../http/reply.ts'
import { jobId } from './job-answer.ts'
import type { Word } from './operation.ts'

/** The envelope of success. */
export const success = (data: ZodType) =>
  z.object({ code: z.literal(0), success: z.literal(true), msg: z.literal(''), data })

/** The envelope of a failure with one of the words. */
export const failure = (codes: readonly number[], words: readonly Word[]) =>
  z.object({
    code: z.literal(codes).meta({ description: 'The HTTP status.' }),
    success: z.literal(false),
    msg: z
      .string()
      .meta({ description: 'For people: Chinese, or English if `Accept-Language` prefers that.' }),
    error: z.enum(words).meta({ description: 'For programs; it does not change.' }),
    data: z.null(),
  } satisfies { [Field in keyof Failure]: ZodType<Failure[Field]> })

type Failure = ReturnType<typeof errorAnswer>['envelope']

/** The contract has exactly these fields. */
export const rejectionSchema = z
  .strictObject({
    id: jobId,
    code: z.literal(1),
    success: z.literal(false),
    msg: z.string().meta({ examples: ['有 5 个任务正在执行，不能执行新任务，请稍后再尝试'] }),
  })
  .meta({ id: 'Rejection', description: 'As many jobs as allowed are running, so this one was not run.' })
