import { dataOf, errorOf, notAnAgent, readJson } from './answer.ts'
import { type Credentials, createSigner } from './credentials.ts'
import { aborted, ClientError, failed, type Result, success } from './result.ts'
import { withPatience } from './retry.ts'
import type { Shape } from './shapes.ts'

export interface ConnectOptions {
  /** Nothing when the connection itself proves who asks, by a client certificate for example. */
  credentials?: Credentials | undefined
  /** What sends requests; the global one by default. One's own may add a proxy, or a client certificate. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /** The language of messages; English by default. */
  language?: 'en' | 'zh' | undefined
  /** How long an agent that does not answer is tried again, in milliseconds; a minute by default. */
  patienceMs?: number | undefined
}

export interface Call {
  method?: 'GET' | 'POST'
  /** Becomes JSON. */
  body?: unknown
  query?: Record<string, string | number | boolean | undefined>
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
  /** How long the answer may take to begin, in milliseconds. */
  timeoutMs?: number
  /** What is sent may arrive twice without harm, so it is sent again when no answer comes. */
  isRepeatable?: boolean
}

/** Sends signed requests to one agent. */
export interface Transport {
  /** The `data` of the agent's answer, which is none of an agent unless it has that shape. */
  call<T>(path: string, isExpected: Shape<T>, call?: Call): Promise<Result<T>>
  /** One try; the answer as it begins, of a status that is a success. */
  open(path: string, call?: Call): Promise<Result<Response>>
  readonly patienceMs: number
  readonly url: URL
}

/** Throws TypeError for a URL or credentials that are none. */
export const createTransport = (base: string, options: ConnectOptions = {}): Transport => {
  const { fetch = globalThis.fetch, credentials, language = 'en', patienceMs = 60_000 } = options
  const root = new URL(base)
  if (!/^https?:$/.test(root.protocol))
    throw new TypeError(`${base}: an agent's URL begins with http or https`)
  if (root.username !== '' || root.password !== '')
    throw new TypeError("an agent's URL has no user and no password in it")
  if (credentials && 'token' in credentials && root.protocol === 'http:' && !LOOPBACK.test(root.hostname))
    throw new TypeError(`${base}: a token is sent by https only, or to this host: others could read it`)
  const signer = createSigner(credentials)

  const open = async (path: string, call: Call = {}): Promise<Result<Response>> => {
    const { method = 'GET', query = {}, headers = {}, signal, timeoutMs = BEGIN_MS } = call
    const url = new URL(root.pathname.replace(/\/$/, '') + path, root)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const body = call.body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(call.body))
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutMs)
    let isSigned = false
    try {
      const proof = await signer({ method, url, body, headers })
      isSigned = true
      const response = await fetch(url.href, {
        method,
        headers: {
          'Accept-Language': language,
          ...(body ? { 'Content-Type': 'application/json' } : {}),
          ...headers,
          ...proof,
        },
        ...(body ? { body } : {}),
        // The agent never redirects; who does is not to be given what was signed for it.
        redirect: 'manual',
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      })
      return response.ok ? success(response) : failed(await errorOf(response))
    } catch (error) {
      if (signal?.aborted) return failed(aborted(signal))
      const reason = late.signal.aborted ? `no answer within ${timeoutMs / 1000} s` : error
      return failed(unreachable(url, reason, isSigned))
    } finally {
      clearTimeout(timer)
    }
  }

  const callOnce = async <T>(path: string, isExpected: Shape<T>, call: Call): Promise<Result<T>> => {
    // One that begins, and then stops, would be waited for without end.
    const wholeMs = Math.min((call.timeoutMs ?? BEGIN_MS) + WHOLE_MS, LONGEST_TIMER_MS)
    const whole = AbortSignal.timeout(wholeMs)
    const signal = call.signal ? AbortSignal.any([call.signal, whole]) : whole
    const opened = await open(path, { ...call, signal })
    if (!opened.ok) return opened
    try {
      const answer = dataOf(await readJson(opened.value))
      return answer && isExpected(answer.data)
        ? success(answer.data)
        : failed(notAnAgent(opened.value.status))
    } catch (error) {
      if (call.signal?.aborted) return failed(aborted(call.signal))
      if (error instanceof SyntaxError) return failed(notAnAgent(opened.value.status))
      return failed(unreachable(root, error))
    }
  }

  return {
    open,
    patienceMs,
    url: root,
    call: (path, isExpected, call = {}) => {
      const { method = 'GET', isRepeatable = method === 'GET', signal } = call
      if (!isRepeatable) return callOnce(path, isExpected, call)
      return withPatience(() => callOnce(path, isExpected, call), patienceMs, signal)
    },
  }
}

/** How long an answer may take to begin, unless a call says, and then to be whole. */
const BEGIN_MS = 30_000
const WHOLE_MS = 120_000
/** A longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

const LOOPBACK = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/

/** fetch says no more than "fetch failed"; what is worth telling is in its cause. */
export const unreachable = ({ host }: URL, error: unknown, isSigned = true): ClientError => {
  const reason = typeof error === 'string' ? error : reasonOf(error)
  const mayBeDone = isSigned && !NOT_SENT.test(codeOf(error))
  return new ClientError('unreachable', `${host}: ${reason}`, { cause: error, mayBeDone })
}

/** What Node says when no connection came about, and a `fetch` over the engine of a fleet when nobody has got it. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|E(HOST|NET)UNREACH|EADDRNOTAVAIL|EACCES|UND_ERR_CONNECT_TIMEOUT|FLEET_N\w+|ERR_(SSL|TLS)_\w+|\w*CERT\w*|bad port)$/

const codeOf = (error: unknown): string => {
  const { cause = error } = Object(error) as { cause?: unknown }
  const { code, message } = Object(cause) as { code?: unknown; message?: unknown }
  return String(code ?? message)
}

const reasonOf = (error: unknown): string => {
  const { cause = error } = error as { cause?: unknown }
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0])
  if (!(cause instanceof Error)) return String(cause)
  const { code, message } = cause as Error & { code?: unknown }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'TLS is not spoken there; the address may be one with http://'
  if (message === 'bad port') return 'that port is on the list of those that fetch never asks'
  return message.split('\n')[0]!
}
