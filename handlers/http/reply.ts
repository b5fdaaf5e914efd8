import { Response } from '@whatwg-node/fetch'
import { AgentError, errors } from '../../lib/base/errors.ts'
import type { Context, Services } from '../services.ts'

/** Success: the contract's envelope around `data`. */
export const ok = (data: unknown, headers: Record<string, string> = {}): Response =>
  json(200, success(data), headers)

export const success = (data: unknown) => ({ code: 0, success: true, msg: '', data })

/** The contract's answer to a submission when every slot is taken: it has no `data`, but an `id`. */
export const rejected = (id: string, running: number): Response => {
  const { status, code, message, headers } = errors.tooManyJobs(running)
  return json(status, { id, code, success: false, msg: message }, { ...headers, [JOB_ID_HEADER]: id })
}

export const failure = ({ status, code, message, headers }: AgentError): Response =>
  json(status, failureEnvelope(code, message), headers)

export const failureEnvelope = (code: number, msg: string) => ({ code, success: false, msg, data: null })

/** Answers an expected failure with what it says, any other with nothing but the request's id. */
export const failureOf = (error: unknown, services: Services, { requestId }: Context): Response => {
  if (error instanceof AgentError) return failure(error)
  services.reportError(error, requestId)
  return failure(errors.internal(requestId))
}

/** Tells the client, and the request log, which job an answer is about. */
export const JOB_ID_HEADER = 'X-Job-Id'

export const JSON_TYPE = 'application/json; charset=utf-8'

const json = (status: number, value: unknown, headers: Record<string, string>): Response => {
  const body = JSON.stringify(value)
  return new Response(body, {
    status,
    headers: {
      'Content-Type': JSON_TYPE,
      'Content-Length': String(Buffer.byteLength(body)),
      ...headers,
    },
  })
}
