import { z } from 'zod'
import { lastEventIdOf } from '../http/last-event-id.ts'
import { validateQuery } from '../http/query.ts'
import { EVENT_STREAM_HEADERS, encoded } from '../http/server-sent-events.ts'
import { streamOf } from '../http/stream.ts'
import { message } from '../http/text.ts'
import type { Handler } from '../services.ts'
import { changeStream } from './change-stream.ts'

/** All jobs as server-sent events; `Last-Event-ID`, or `?after=`, resumes after one of them. */
export const watchJobs: Handler = (request, services, { reading }) => {
  const query = validateQuery(querySchema, request.url)
  const after = lastEventIdOf(request, headerSchema) ?? query.after
  const body = (signal: AbortSignal) => encoded(changeStream(services, { after, signal }))
  const stream = streamOf(body, { ...reading, signal: request.signal }, () => {})
  // The global Response: the one of @whatwg-node/fetch reads ahead of its reader.
  return new Response(stream, { headers: EVENT_STREAM_HEADERS })
}

const position = z
  .string()
  .regex(/^[0-9a-f]{1,32}-\d{1,15}$/, message('应为事件的 ID', 'must be the id of an event'))
  .meta({ examples: ['9f86d081884c-17'] })
  .transform(id => {
    const [epoch, seq] = id.split('-') as [string, string]
    return { epoch, seq: Number(seq) }
  })
  .optional()
  .meta({ description: 'The id of an event: what has changed after it is sent.' })

export const querySchema = z.object({ after: position })
export const headerSchema = z.object({ 'Last-Event-ID': position })
