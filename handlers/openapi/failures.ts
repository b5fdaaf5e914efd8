import { type ZodType, z } from 'zod'
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi'
import { ERROR_REPLIES, type ErrorReply } from '../http/error-replies.ts'
import { failure, rejectionSchema } from './envelope.ts'
import { failureExamples } from './failure-examples.ts'
import { FAILURE_HEADERS, jobHeaders } from './headers.ts'
import type { Word } from './operation.ts'

/** What endpoints answer when they refuse; those that are alike are the same component of the document. */
export const createRefusals = () => {
  const known = new Map<string, ZodOpenApiResponseObject>()

  const refusal = (status: number, words: readonly Word[]): ZodOpenApiResponseObject => {
    const key = [...words].sort().join()
    const others = [...known.keys()].filter(other => statusOf(other.split(',')[0] as Word) === status)
    const id = `Refusal${status}${others.length === 0 ? '' : `-${others.length + 1}`}`
    const one = known.get(key) ?? { id, description: listed(words), ...refusalAnswer(id, status, words) }
    known.set(key, one)
    return one
  }

  return {
    /** What an endpoint answers when it refuses with one of the words, by status. */
    refusalsOf: (words: readonly Word[]): ZodOpenApiResponsesObject =>
      Object.fromEntries(
        [...Map.groupBy(new Set(words), statusOf)].map(([status, words]) => [status, refusal(status, words)]),
      ),

    /** What is answered before an endpoint is found, or although it is none's fault. */
    any: {
      id: 'AnyFailure',
      description:
        'What is no request to an endpoint, or has not arrived whole; and an error that nobody expected.',
      ...answer(anyFailure, ANY_FAILURE),
    } satisfies ZodOpenApiResponseObject,
  }
}

export type Refusals = ReturnType<typeof createRefusals>

const statusOf = (word: Word): number => ERROR_REPLIES[word].status

const ANY_FAILURE: readonly Word[] = [
  'invalid-request',
  'malformed-request',
  'unknown-endpoint',
  'method-not-allowed',
  'request-timeout',
  'target-too-long',
  'expectation-failed',
  'headers-too-large',
  'internal',
]

const anyFailure = failure([...new Set(ANY_FAILURE.map(statusOf))], ANY_FAILURE).meta({ id: 'AnyFailure' })

/** A submission that finds no free slot is answered as the contract has it. */
const refusalAnswer = (id: string, status: number, words: readonly Word[]) => {
  if (!words.includes('too-many-jobs')) return answer(failure([status], words).meta({ id }), words)
  const others = words.filter(word => word !== 'too-many-jobs')
  const rejected = answer(z.union([rejectionSchema, failure([status], others)]).meta({ id }), words)
  return { ...rejected, headers: jobHeaders.partial().extend(rejected.headers?.shape ?? {}) }
}

const answer = (schema: ZodType, words: readonly Word[]) => ({
  ...headersOf(words),
  content: { 'application/json': { schema, examples: failureExamples(words) } },
})

/** Those that one of the words comes with. */
const headersOf = (words: readonly Word[]) => {
  const names = words.flatMap(word => {
    const { headers }: ErrorReply<never> = ERROR_REPLIES[word]
    return headers ? Object.keys(headers({} as never)) : []
  })
  if (names.length === 0) return {}
  return { headers: z.object(Object.fromEntries(names.map(name => [name, FAILURE_HEADERS[name]!]))) }
}

const listed = (words: readonly Word[]): string => words.map(word => `\`${word}\``).join(', ')
