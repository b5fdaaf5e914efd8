import { Response } from '@whatwg-node/fetch'
import { AgentError } from '../../lib/base/errors.ts'
import type { Context, Services } from '../services.ts'
import { findErrorReply } from './error-replies.ts'
import { languageOf } from './language.ts'
import { refusal } from './refusal.ts'

/** Success: the contract's envelope around `data`. */
export const ok = (data: unknown, headers: Record<string, string> = {}): Response =>
  json(200, JSON.stringify(success(data)), headers)

export const success = (data: unknown) => ({ code: 0, success: true, msg: '', data })

/** A whole answer of JSON text. */
export const json = (status: number, text: string, headers: Record<string, string>): Response =>
  new Response(text, {
    status,
    headers: {
      'Content-Type': JSON_TYPE,
      'Content-Length': String(Buffer.byteLength(text)),
      ...headers,
    },
  })

/** The contract's answer to a submission when every slot is taken: it has no `data`, but an `id`. */
export const rejected = (id: string, running: number, request: Pick<Request, 'headers'>): Response => {
  const { status, headers, envelope } = errorAnswer(
    refusal('too-many-jobs', { running }),
    languageIn(request),
  )
  const { code, success, msg } = envelope
  return json(status, JSON.stringify({ id, code, success, msg }), { ...headers, [JOB_ID_HEADER]: id })
}

/** Answers an expected failure with what it says, any other with nothing but the request's id. */
export const failed = (
  error: unknown,
  request: Pick<Request, 'headers'>,
  services: Pick<Services, 'reportError'>,
  { requestId, note }: Context,
): Response => {
  const isExpected = error instanceof AgentError && findErrorReply(error) !== undefined
  if (!isExpected) services.reportError(error, requestId)
  const known = isExpected ? error : refusal('internal', { requestId })
  note({ error: known.code })
  const { status, headers, envelope } = errorAnswer(known, languageIn(request))
  return json(status, JSON.stringify(envelope), headers)
}

/** What to answer an error with, for those that write their answer by themselves; of no language is Chinese. */
export const errorAnswer = (error: AgentError, acceptLanguage?: string | null) => {
  const reply = findErrorReply(error)
  if (!reply) throw error
  const { status, number = status } = reply
  const msg = reply[languageOf(acceptLanguage)](error.details)
  const headers = reply.headers?.(error.details) ?? {}
  return { status, headers, envelope: { code: number, success: false, msg, error: error.code, data: null } }
}

const languageIn = ({ headers }: Pick<Request, 'headers'>): string | null => headers.get('accept-language')

/** Tells the client, and the request log, which job an answer is about. */
export const JOB_ID_HEADER = 'X-Job-Id'

export const JSON_TYPE = 'application/json; charset=utf-8'
