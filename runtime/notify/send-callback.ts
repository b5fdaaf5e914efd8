import { Webhook } from 'standardwebhooks'
import { Agent, type Dispatcher, errors, request } from 'undici'
import type { AddressRules } from '../../lib/notify/address-rules.ts'
import type { DeliveryFailure, DeliveryOutcome } from '../../lib/notify/sinks.ts'
import type { OutboxEntry } from '../../lib/store/outbox-store.ts'
import {
  AddressNotAllowedError,
  type CheckedConnectorOptions,
  checkedConnector,
} from './checked-connector.ts'

export interface CallbackOptions {
  origins: readonly string[]
  addresses: AddressRules
  /** `whsec_…`; each makes a signature. Asked for at each try. */
  secrets(): readonly string[]
  userAgent: string
  /** For everything: look-up, connection, request and answer. */
  timeoutMs?: number
  findHost: CheckedConnectorOptions['findHost']
}

/** Delivers entries as HTTP requests, as Standard Webhooks has them. */
export const createCallbackSender = (options: CallbackOptions) => {
  const { origins, addresses, secrets, userAgent, timeoutMs = CALLBACK_MS, findHost } = options
  const dispatcher = new Agent({
    connect: checkedConnector(addresses, { timeoutMs, findHost }),
    // No connection is kept: one that the receiver has closed meanwhile would fail.
    pipelining: 0,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })

  const send = async (
    { id, target, payload }: OutboxEntry,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> => {
    // It was looked at when it was asked for; what is allowed may have changed since.
    const url = URL.parse(target)
    if (!url || !origins.includes(url.origin)) return { error: 'origin not allowed' }
    const sentAt = new Date()
    const signatures = secrets().map(secret => new Webhook(secret).sign(id, sentAt, payload))
    let interim = 0
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': userAgent,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
        'webhook-signature': signatures.join(' '),
      },
      body: payload,
      signal,
      dispatcher,
      onInfo() {
        if (++interim > MOST_INTERIM_ANSWERS) throw new NoHttpAnswerError('interim answers without end')
      },
    })
    await readSome(body)
    if (statusCode >= 200 && statusCode < 300) return 'delivered'
    if (statusCode === GONE) return 'not-wanted'
    return { error: `status ${statusCode}`, notBeforeMs: waitOf(headers['retry-after']) }
  }

  return {
    async deliver(entry: OutboxEntry, stop: AbortSignal): Promise<DeliveryOutcome> {
      const timeUp = AbortSignal.timeout(timeoutMs)
      const stopped = Promise.withResolvers<DeliveryOutcome>()
      const onStop = (): void => stopped.resolve({ error: 'no connection', detail: 'the agent ends' })
      stop.addEventListener('abort', onStop)
      try {
        // undici gives a request up only once it is connected.
        return await Promise.race([send(entry, AbortSignal.any([timeUp, stop])), stopped.promise])
      } catch (error) {
        return timeUp.aborted ? TIMED_OUT : failureOf(error)
      } finally {
        stop.removeEventListener('abort', onStop)
      }
    },

    close: (): Promise<void> => dispatcher.destroy(),
  }
}

/** The status has said it all: what follows is read only so that the receiver can finish. */
const readSome = async (body: Dispatcher.ResponseData['body']): Promise<void> => {
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += (chunk as Uint8Array).length
      if (bytes > MOST_ANSWER_BYTES) return
    }
  } catch {
    // It broke off, or took too long.
  }
}

/** The receiver has answered with something else. */
class NoHttpAnswerError extends Error {}

/** No more than whoever may look at the job may know of the network; the rest is for the log. */
const failureOf = (error: unknown): DeliveryFailure => {
  if (error instanceof AddressNotAllowedError) return { error: 'address not allowed' }
  const { code = '', message } = error as NodeJS.ErrnoException
  if (TIMEOUT_CODES.has(code)) return TIMED_OUT
  if (isNoHttpAnswer(error)) return { error: 'no HTTP answer', detail: message }
  return { error: 'no connection', detail: code || message }
}

/** What undici takes for none: also a `100 Continue`, which nobody has asked for, and a head beyond 16 KB. */
const isNoHttpAnswer = (error: unknown): boolean =>
  error instanceof NoHttpAnswerError ||
  error instanceof errors.HTTPParserError ||
  error instanceof errors.HeadersOverflowError ||
  (error instanceof errors.SocketError && error.message === 'bad response')

/** A receiver may ask for some time, in seconds. */
const waitOf = (header: string | string[] | undefined): number | undefined =>
  typeof header === 'string' && /^\d{1,9}$/.test(header)
    ? Math.min(Number(header) * 1000, LONGEST_WAIT_MS)
    : undefined

const TIMED_OUT: DeliveryFailure = { error: 'timed out' }
const TIMEOUT_CODES = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])
const GONE = 410
/** For one try. */
export const CALLBACK_MS = 10_000
/** Such as 103 Early Hints: each is a head of up to 16 KB. */
const MOST_INTERIM_ANSWERS = 16
const LONGEST_WAIT_MS = 3_600_000
const MOST_ANSWER_BYTES = 64 << 10
