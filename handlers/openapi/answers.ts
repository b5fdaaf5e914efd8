import { type ZodType, z } from 'zod'
import type { ZodOpenApiMediaTypeObject } from 'zod-openapi'
import type { JobJson } from '../jobs/job-json.ts'
import { success } from './envelope.ts'
import { jobHeaders } from './headers.ts'
import { jobSchema } from './job-answer.ts'
import { JOB_EXAMPLE } from './job-examples.ts'
import type { Answer } from './operation.ts'

/** Data in the envelope of success. */
export const data = (description: string, schema: ZodType, example: unknown): Answer => ({
  description,
  content: {
    'application/json': {
      schema: success(schema),
      examples: { success: { value: { code: 0, success: true, msg: '', data: example } } },
    },
  },
})

/** Data about one job. */
export const dataOfJob = (description: string, schema: ZodType, example: unknown): Answer => ({
  ...data(description, schema, example),
  headers: jobHeaders,
})

export const job = (description: string, example: JobJson = JOB_EXAMPLE): Answer =>
  dataOfJob(description, jobSchema, example)

/** A job as it happens. */
export const events: ZodOpenApiMediaTypeObject = {
  schema: z.string().meta({
    id: 'JobEvents',
    description:
      'Server-sent events: `start` with a Job, `stdout` and `stderr` with an OutputEvent each, `dropped` with a ' +
      'DroppedEvent, `end` with the final Job, or `caught-up` with the Job as it is when a running one is not followed; ' +
      'a comment every 15 seconds when there is nothing to tell.',
  }),
  examples: {
    events: {
      value:
        'event: stdout\nid: 1\ndata: {"seq":1,"time":"2026-11-22T12:45:29.476013Z","position":0,"text":"one\\n"}\n\n',
    },
  },
}

/** All jobs as they change. */
export const changes: ZodOpenApiMediaTypeObject = {
  schema: z.string().meta({
    id: 'JobChanges',
    description:
      'Server-sent events: `job` with a JobChange, `reset` with a ResetEvent, `agent` with an AgentEvent; a comment ' +
      'every 15 seconds when there is nothing to tell. `job` and `reset` have an id.',
  }),
  examples: { events: { value: 'event: reset\nid: 9f86d081884c-17\ndata: {"running":0}\n\n' } },
}

/** Bytes as they are. */
export const bytes: ZodOpenApiMediaTypeObject = {
  schema: { type: 'string', format: 'binary' },
  examples: { hello: { value: 'hello\n' } },
}
