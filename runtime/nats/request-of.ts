import type { Msg, MsgHdrs } from '@nats-io/nats-core'
import { refusal } from '../../handlers/http/refusal.ts'
import type { AgentError } from '../../lib/base/errors.ts'
import { hasTooManyHeaders, headersOf, httpHeadersOf, numberOf, WIRE } from '../../lib/fleet/wire.ts'
import { targetRefusal, urlOfTarget } from '../request-target.ts'

/** What a message asks for, as far as it says so. */
export interface Asked {
  method: string
  /** Path and query, as they came. */
  target: string
  /** The path, for the log; "" when there is none. */
  path: string
  acceptLanguage: string | null
  /** How large a body is that is still to come; undefined where there is none, or it came with the message. */
  bodyBytes?: number
  /** The request; or why there is none. */
  make(body: ReadableStream<Uint8Array> | undefined, signal: AbortSignal): Request | AgentError
}

/** Reads a message as a request. */
export const readRequest = (message: Msg): Asked => {
  const nothing = { method: '', target: '', path: '', acceptLanguage: null }
  const headers = headersOf(message)
  if (!headers) {
    const word = hasTooManyHeaders(message) ? 'headers-too-large' : 'malformed-request'
    return { ...nothing, make: () => refusal(word) }
  }
  const [method, target] = [headers.get(WIRE.method), headers.get(WIRE.target)]
  const url = target.length > LONGEST_LOOKED_AT ? undefined : urlOfTarget(target)
  const asked = { method, target, path: url?.pathname ?? '', acceptLanguage: languageOf(headers) }
  const tooMuch = targetRefusal(target)
  if (tooMuch) return { ...asked, make: () => tooMuch }
  if (!url || !METHOD.test(method)) return { ...asked, make: malformed }
  const bodyBytes = numberOf(headers, WIRE.bodyBytes)
  if (headers.has(WIRE.bodyBytes) && (!bodyBytes || message.data.length > 0))
    return { ...asked, make: malformed }
  return {
    ...asked,
    ...(bodyBytes !== undefined && { bodyBytes }),
    make(stream, signal) {
      const bytes = bodyBytes ?? message.data.length
      try {
        const http = httpHeadersOf(headers)
        for (const name of OF_CONNECTION) http.delete(name)
        if (bytes > 0) http.set('content-length', String(bytes))
        const init = { method, headers: http, signal, duplex: 'half' as const }
        if (BODILESS.has(method) || bytes === 0) return new Request(url, init)
        return new Request(url, { ...init, body: stream ?? message.data.slice() })
      } catch {
        return malformed()
      }
    },
  }
}

const languageOf = (headers: MsgHdrs): string | null => headers.get('accept-language') || null

const malformed = (): AgentError => refusal('malformed-request')

const METHOD = /^[A-Z]{1,20}$/
const BODILESS = new Set(['GET', 'HEAD'])
/** These say something of a connection, which is not one of HTTP here. */
const OF_CONNECTION = ['connection', 'host', 'content-length', 'transfer-encoding', 'expect', 'upgrade']
const LONGEST_LOOKED_AT = 1 << 16
