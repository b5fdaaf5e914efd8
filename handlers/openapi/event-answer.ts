import { z } from 'zod'
import { jobInListSchema, jobSchema } from './job-answer.ts'

/** The data of a `stdout` or `stderr` event. */
export const outputEventSchema = z
  .object({
    seq: z.int().min(1).meta({ description: 'Also the id of the event; `Last-Event-ID` resumes after it.' }),
    time: z.iso.datetime({ offset: true }),
    position: z
      .int()
      .min(0)
      .meta({ description: 'Where it begins in all that the job has written, in bytes.' }),
    text: z.string().optional(),
    base64: z
      .base64()
      .optional()
      .meta({ description: 'Instead of `text`, what is not valid in the encoding.' }),
  })
  .meta({ id: 'OutputEvent', description: 'The data of an event `stdout` or `stderr`.' })

export const droppedEventSchema = z
  .object({ bytes: z.int().min(1).nullable().meta({ description: 'null when it is not known how many.' }) })
  .meta({ id: 'DroppedEvent', description: 'The data of an event `dropped`: so many bytes are not kept.' })

const running = z.int().min(0).meta({ description: 'How many jobs run now.' })

export const jobChangeSchema = z
  .object({ running, job: jobInListSchema })
  .meta({ id: 'JobChange', description: 'The data of an event `job`: it has changed, and is like this now.' })

export const resetEventSchema = z
  .object({ running })
  .meta({ id: 'ResetEvent', description: 'The data of an event `reset`: lists must be read anew.' })

export const agentEventSchema = z
  .object({ draining: z.boolean(), stopping: z.boolean() })
  .meta({ id: 'AgentEvent', description: 'The data of an event `agent`: how it is now.' })

/** Of each event of a job, by its name; OpenAPI 3.1 has no word for a stream of events. */
export const EVENT_DATA = {
  start: jobSchema,
  stdout: outputEventSchema,
  stderr: outputEventSchema,
  dropped: droppedEventSchema,
  end: jobSchema,
  'caught-up': jobSchema,
}

/** The same for those of all jobs. */
export const CHANGE_DATA = { job: jobChangeSchema, reset: resetEventSchema, agent: agentEventSchema }
