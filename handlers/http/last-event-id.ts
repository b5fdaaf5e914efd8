import type { ZodType } from 'zod'
import { validate } from './validate.ts'

/**
 * Where a reader of server-sent events goes on, as the schema has it: a browser that reconnects sends the header, with
 * the query of its first request. Throws AgentError 400.
 */
export const lastEventIdOf = <T>(
  { headers }: Pick<Request, 'headers'>,
  schema: ZodType<{ 'Last-Event-ID'?: T | undefined }>,
): T | undefined =>
  validate(schema, { 'Last-Event-ID': headers.get('last-event-id') ?? undefined })['Last-Event-ID']
