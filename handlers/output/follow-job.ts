import { z } from 'zod'
import { lastEventIdOf } from '../http/last-event-id.ts'
import { validateQuery } from '../http/query.ts'
import { flag, numberMeta } from '../http/query-values.ts'
import { message } from '../http/text.ts'
import { withJob } from '../jobs/with-job.ts'
import type { Handler } from '../services.ts'
import { eventStream } from './event-stream.ts'
import { tailSchema } from './tail-schema.ts'

/**
 * Server-sent events; `Last-Event-ID`, or `?after=`, resumes after a chunk. With `?encoding=base64` each chunk is its
 * bytes, with `?output=false` the job of the last event comes without its output. `?tail=100` begins with the last
 * lines; with `?follow=false` nothing is waited for.
 */
export const followJob: Handler = (request, { jobs }, { reading }) => {
  const query = validateQuery(querySchema, request.url)
  const options = {
    after: lastEventIdOf(request, headerSchema) ?? query.after ?? 0,
    tail: query.tail,
    follow: query.follow,
    withOutput: query.output,
    inBase64: query.encoding === 'base64',
  }
  return withJob(request.params.id ?? '', jobs, request, reading, job => eventStream(job, options))
}

const seq = z
  .string()
  .regex(/^\d{1,15}$/, message('应为事件的序号', 'must be the number of an event'))
  .transform(Number)
  .optional()
  .meta(numberMeta('The number of an event: what comes after it is sent.', { minimum: 0 }))

export const querySchema = z.object({
  after: seq,
  tail: tailSchema,
  follow: flag(true, '`false`: ends when all that is kept now was sent, with `caught-up` if the job runs.'),
  encoding: z
    .enum(['text', 'base64'])
    .default('text')
    .meta({ description: '`base64`: the bytes of every chunk, not only of those that are no text.' }),
  output: flag(true, '`false`: the job of the last event comes without its output.'),
})
export const headerSchema = z.object({ 'Last-Event-ID': seq })
