import { z } from 'zod'
import { flagSchema } from '../http/flag-schema.ts'
import { validateQuery } from '../http/query.ts'
import { message } from '../http/text.ts'
import { validate } from '../http/validate.ts'
import { withJob } from '../jobs/with-job.ts'
import type { Handler } from '../services.ts'
import { eventStream } from './event-stream.ts'
import { tailSchema } from './tail-schema.ts'

/**
 * Server-sent events; `Last-Event-ID`, or `?after=`, resumes after a chunk. With `?encoding=base64` each chunk is its
 * bytes, with `?output=false` the job of the last event comes without its output. `?tail=100` begins with the last
 * lines; with `?follow=false` nothing is waited for.
 */
export const followJob: Handler = (request, { jobs }, { pace }) => {
  const query = validateQuery(querySchema, request.url)
  // A browser that reconnects sends the header, with the query of its first request.
  const lastEventId = request.headers.get('last-event-id') ?? undefined
  const { 'Last-Event-ID': resumed } = validate(headerSchema, { 'Last-Event-ID': lastEventId })
  const options = {
    after: resumed ?? query.after ?? 0,
    tail: query.tail,
    follow: query.follow,
    withOutput: query.output,
    inBase64: query.encoding === 'base64',
  }
  return withJob(request.params.id ?? '', jobs, request, pace, job => eventStream(job, options))
}

const seq = z
  .string()
  .regex(/^\d{1,15}$/, message('应为事件的序号', 'must be the number of an event'))
  .transform(Number)
  .optional()

export const querySchema = z.object({
  after: seq,
  tail: tailSchema,
  follow: flagSchema(true),
  encoding: z.enum(['text', 'base64']).default('text'),
  output: flagSchema(true),
})
const headerSchema = z.object({ 'Last-Event-ID': seq })
