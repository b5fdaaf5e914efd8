import { z } from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiRequestBodyObject } from 'zod-openapi'
import type { OpenRoute, Route } from '../route.ts'
import type { Refusals } from './failures.ts'
import { languageHeader } from './headers.ts'
import { jobId } from './job-answer.ts'
import type { Operation, Word } from './operation.ts'
import { OPERATIONS } from './operations.ts'

/** A route as OpenAPI has it: what the table says of it, and what its description does. */
export const operationOf = (
  route: Route | OpenRoute,
  { refusalsOf, any }: Refusals,
): ZodOpenApiOperationObject => {
  const {
    tag,
    summary,
    description,
    headers,
    body,
    answers,
    refusals = [],
  }: Operation = OPERATIONS[route.operation]
  const guarded = 'rights' in route ? route : undefined
  const sentences = [...(description ? [description] : []), ...(guarded ? [need(guarded)] : [])]
  return {
    operationId: route.operation,
    tags: [tag],
    summary,
    description: sentences.join(' ') || summary,
    ...(guarded ? { 'x-rights': [...guarded.rights] } : { security: [] }),
    requestParams: {
      ...(route.path.includes(':id') && { path: z.object({ id: jobId }) }),
      ...(guarded?.query && { query: guarded.query }),
      header: languageHeader.extend(headers?.shape ?? {}),
    },
    ...(body && { requestBody: requestBodyOf(body) }),
    responses: {
      ...answers,
      ...refusalsOf([...(guarded ? GUARDED : []), ...(body ? WITH_BODY : []), ...refusals]),
      default: any,
    },
  }
}

const need = ({ rights }: Pick<Route, 'rights'>): string =>
  `Needs the right ${rights.map(right => `\`${right}\``).join(' or ')}.`

const requestBodyOf = ({
  schema,
  isOptional = false,
  examples,
}: NonNullable<Operation['body']>): ZodOpenApiRequestBodyObject => ({
  required: !isOptional,
  content: {
    'application/json': {
      schema,
      examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
    },
  },
})

/** For what anybody may be refused whose credentials are looked at. */
const GUARDED: readonly Word[] = [
  'invalid-request',
  'signature-missing',
  'signature-malformed',
  'signature-expired',
  'signature-ahead',
  'signature-wrong',
  'message-signature-malformed',
  'authority-wrong',
  'nonce-used',
  'certificate-wrong',
  'certificate-unknown',
  'credential-too-weak',
  'token-malformed',
  'token-insecure',
  'token-wrong',
  'key-expired',
  'forbidden',
  'address-not-allowed',
  'too-many-guesses',
  'nonce-not-remembered',
  'clock-set-back',
]

/** For what a body may be refused. */
const WITH_BODY: readonly Word[] = [
  'incomplete-body',
  'content-digest-missing',
  'content-digest-wrong',
  'body-too-large',
  'too-many-bodies',
  'request-timeout',
  'unsupported-media-type',
]
