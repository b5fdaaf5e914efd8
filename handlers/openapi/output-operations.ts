import { z } from 'zod'
import { headerSchema } from '../output/follow-job.ts'
import { bytes, events } from './answers.ts'
import { jobHeaders } from './headers.ts'
import type { Operation } from './operation.ts'

const acceptRanges = z.literal('bytes').meta({ description: 'Of a job that has ended.' }).optional()

const output = (summary: string): Operation => ({
  tag: 'output',
  summary,
  description:
    'The kept bytes, as the job wrote them. Ranges are for jobs that have ended, without `tail` and `follow`.',
  headers: z.object({
    Range: z
      .string()
      .meta({ description: 'One range in bytes, RFC 9110, 14.1.2.', examples: ['bytes=0-99', 'bytes=-100'] })
      .optional(),
  }),
  answers: {
    200: {
      description: 'All of them, or what `tail` and `follow` ask for.',
      headers: jobHeaders.extend({ 'Accept-Ranges': acceptRanges }),
      content: { 'application/octet-stream': bytes },
    },
    206: {
      description: 'Those of the range.',
      headers: jobHeaders.extend({
        'Accept-Ranges': acceptRanges,
        'Content-Range': z.string().meta({ examples: ['bytes 0-4/11'] }),
      }),
      content: { 'application/octet-stream': bytes },
    },
  },
  refusals: ['unknown-job', 'range-not-satisfiable'],
})

export const readStdout = output('What a job has written to stdout')
export const readStderr = output('What a job has written to stderr')
export const readOutput = output('What a job has written to both, in its order')

export const followJob: Operation = {
  tag: 'output',
  summary: 'A job as it happens',
  headers: headerSchema,
  answers: {
    200: {
      description: 'Its events, from the beginning or after one of them.',
      headers: jobHeaders,
      content: { 'text/event-stream': events },
    },
  },
  refusals: ['unknown-job'],
}
