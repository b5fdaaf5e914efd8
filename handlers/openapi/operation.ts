import type { ZodObject, ZodType } from 'zod'
import type { ZodOpenApiMediaTypeObject, ZodOpenApiResponseObject } from 'zod-openapi'
import type { ERROR_REPLIES } from '../http/error-replies.ts'

/** What an error is called in `error`. */
export type Word = keyof typeof ERROR_REPLIES

/** What the route table does not say of an endpoint. */
export interface Operation {
  tag: 'jobs' | 'output' | 'agent'
  summary: string
  description?: string
  /** Request headers. */
  headers?: ZodObject
  body?: { schema: ZodType; isOptional?: boolean; examples: Record<string, object> }
  /** What is answered when all went well, by status. */
  answers: { [Status in 200 | 206]?: Answer }
  /** For what it may be refused, beside what any endpoint may be refused for. */
  refusals?: readonly Word[]
}

export interface Answer extends Pick<ZodOpenApiResponseObject, 'description'> {
  headers?: ZodObject
  content: Record<string, ZodOpenApiMediaTypeObject>
}
