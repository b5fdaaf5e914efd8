import { z } from 'zod'
import { errors } from '../../lib/base/errors.ts'
import { validate, validateQuery } from '../http/validate.ts'
import type { Handler } from '../services.ts'
import { eventStream } from './event-stream.ts'

/** Server-sent events; `Last-Event-ID`, or `?after=`, resumes after a chunk. */
export const followJob: Handler = (request, { jobs }) => {
  const query = validateQuery(querySchema, ['after'], request.url)
  // A browser that reconnects sends the header, with the query of its first request.
  const lastEventId = request.headers.get('last-event-id') ?? undefined
  const { 'Last-Event-ID': resumed } = validate(headerSchema, { 'Last-Event-ID': lastEventId })
  const id = request.params.id ?? ''
  const view = jobs.openOutput(id)
  if (!view) throw errors.unknownJob()
  return eventStream(id, view, resumed ?? query.after ?? 0, request.signal)
}

const seq = z
  .string()
  .regex(/^\d{1,15}$/, '应为事件的序号')
  .transform(Number)
  .optional()

const querySchema = z.object({ after: seq })
const headerSchema = z.object({ 'Last-Event-ID': seq })
