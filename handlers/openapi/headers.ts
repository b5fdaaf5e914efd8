import { z } from 'zod'
import { jobId } from './job-answer.ts'

const header = (description: string, example: string) =>
  z
    .string()
    .meta({ description, examples: [example] })
    .optional()

/** What failures may come with, by name. */
export const FAILURE_HEADERS: Record<string, z.ZodType> = {
  'Retry-After': header('Seconds until another try may succeed.', '1'),
  'WWW-Authenticate': header('A challenge, RFC 9110, 11.6.1.', 'Bearer realm="newdt-auto"'),
  Allow: header('The methods that the endpoint has.', 'GET, HEAD'),
  'Content-Range': header('How many bytes there are.', 'bytes */11'),
  Connection: header('The connection ends.', 'close'),
}

/** Of each answer about one job. */
export const jobHeaders = z.object({
  'X-Job-Id': jobId.meta({ description: 'Which job the answer is about.' }),
})

/** Any request may have it. */
export const languageHeader = z.object({
  'Accept-Language': header('The language of `msg`: Chinese, or English if that is preferred.', 'en'),
})
