import { randomUUID } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'
import { refusal } from '../../handlers/http/refusal.ts'
import { errorAnswer, JOB_ID_HEADER, json } from '../../handlers/http/reply.ts'
import type { Context } from '../../handlers/services.ts'
import { AgentError } from '../../lib/base/errors.ts'
import type { Log } from '../../lib/base/log.ts'
import { isReplySubject } from '../../lib/fleet/inbox.ts'
import { type Address, authorityOf } from '../../lib/fleet/names.ts'
import { SILENCE_MS } from '../../lib/fleet/wire.ts'
import { RIGHTS, type Right } from '../../lib/security/caller.ts'
import type { Answers } from './answers.ts'
import type { Inbox } from './inbox.ts'
import { type Asked, readRequest } from './request-of.ts'
import { createUpload } from './upload.ts'

export interface ServeOptions {
  fetch(request: Request, context: Context): Promise<Response>
  answers: Answers
  inbox: Inbox
  metrics: { fleetRequest(fate: 'answered' | 'broken'): void }
  log: Log
}

/** Answers messages as the HTTP server answers requests; one log line a request. Never throws. */
export const createMessageServer = ({ fetch, answers, inbox, metrics, log }: ServeOptions) => {
  const answerOne = async (message: Msg, address: Address): Promise<void> => {
    const begun = answers.begin(message.reply!)
    if (!begun) return
    const { answer } = begun
    const start = performance.now()
    const asked = readRequest(message)
    const requestId = randomUUID()
    const notes: { caller?: string; error?: string } = {}
    const context: Context = {
      // Nobody knows where a message comes from, and the engine has read it.
      address: CLIENT,
      isPrivate: false,
      isEncrypted: false,
      isRelayed: true,
      requestId,
      authority: authorityOf(address),
      target: asked.target,
      note(fields) {
        Object.assign(notes, fields)
        // As where a connection is cut: nothing is begun that nobody would hear of. Whoever has too much running
        // must be able to stop it.
        if (fields.caller === undefined || CONTROL.test(asked.path)) return
        if (!begun.belongsTo(fields.caller)) throw refusal('incomplete-body')
      },
    }
    let isWhole = false
    let response: Response | undefined
    let upload: ReturnType<typeof createUpload> | undefined
    try {
      const { bodyBytes: bytes } = asked
      const { signal } = answer
      if (bytes !== undefined) upload = createUpload({ bytes, answer, inbox, silenceMs: SILENCE_MS })
      // Who asks several does not know how many there are: those that have the request say so at once.
      if (address.to === 'label' || address.to === 'all') answer.alive()
      const onlyRight = rightOf(message.subject)
      const request = onlyRight === undefined ? NO_RIGHT : asked.make(upload?.stream, signal)
      response =
        request instanceof AgentError
          ? refused(request, asked, context)
          : await unlessGone(fetch(request, { ...context, onlyRight }), signal)
      // As over HTTP: who asks sees how far the clocks are apart.
      response?.headers.set('Date', new Date().toUTCString())
      if (response) isWhole = await answer.send(response)
    } catch (err) {
      log.error({ err, requestId }, 'unexpected error')
      answer.giveUp()
    } finally {
      upload?.close()
      begun.end()
    }
    metrics.fleetRequest(isWhole ? 'answered' : 'broken')
    const fields = {
      requestId,
      method: asked.method.slice(0, LONGEST_LOGGED),
      path: asked.path.slice(0, LONGEST_LOGGED),
      status: response?.status,
      ms: Math.round((performance.now() - start) * 10) / 10,
      client: CLIENT,
      jobId: response?.headers.get(JOB_ID_HEADER) ?? undefined,
      ...notes,
    }
    log.info(isWhole ? fields : { ...fields, status: undefined, aborted: true }, 'request')
  }

  return (message: Msg, address: Address): void => {
    if (isReplySubject(message.reply)) void answerOne(message, address)
  }
}

/** Undefined when nobody waits for it any more; whatever it does goes on. */
const unlessGone = async (asked: Promise<Response>, signal: AbortSignal): Promise<Response | undefined> => {
  const gone = Promise.withResolvers<undefined>()
  const leave = (): void => {
    gone.resolve(undefined)
    void asked.then(response => response.body?.cancel()).catch(() => {})
  }
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave)
  const response = await Promise.race([asked, gone.promise])
  signal.removeEventListener('abort', leave)
  return response
}

/** The last part of a subject says as what the sender may use it. */
const rightOf = (subject: string): Right | undefined => {
  const last = subject.slice(subject.lastIndexOf('.') + 1)
  return RIGHTS.find(right => right === last)
}

const NO_RIGHT = refusal('invalid-request', {
  detail: {
    zh: `主题必须以 ${RIGHTS.join('、')} 之一结尾`,
    en: `the subject must end with one of ${RIGHTS.join(', ')}`,
  },
})

/** What does not get to the handlers. */
const refused = (error: AgentError, { acceptLanguage }: Asked, { note }: Context): Response => {
  note({ error: error.code })
  const { status, headers, envelope } = errorAnswer(error, acceptLanguage)
  return json(status, JSON.stringify(envelope), headers)
}

/** In the log and in the audit trail. */
const CLIENT = 'nats'
const CONTROL = /\/(cancel|signal)$/
const LONGEST_LOGGED = 1000
