import { randomUUID } from 'node:crypto'
import {
  createServer as createHttpServer,
  type ServerOptions as HttpServerOptions,
  IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type SecureContextOptions, Server as TlsServer } from 'node:tls'
import { createServerAdapter } from '@whatwg-node/server'
import { refusal } from '../handlers/http/refusal.ts'
import { errorAnswer, JOB_ID_HEADER } from '../handlers/http/reply.ts'
import type { Context } from '../handlers/services.ts'
import type { AgentError } from '../lib/base/errors.ts'
import type { Log } from '../lib/base/log.ts'
import type { AddressList } from '../lib/security/address-list.ts'
import type { Client } from '../lib/security/authenticator.ts'
import { plainAuthority } from './authority.ts'
import { clientOf } from './client.ts'
import { limitConnections } from './connections.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

export interface ServerOptions {
  fetch(request: Request, context: Context): Promise<Response>
  log: Log
  /** With it, only TLS is spoken. */
  tls?: SecureContextOptions | undefined
  /** Who may connect; all when absent. */
  allowed?: AddressList | undefined
  /** Whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  trustedProxies?: AddressList | undefined
  /** Whether no other request is taken on a connection. */
  isOutdated?(socket: Socket): boolean
  /** How long a client may take for its headers, in milliseconds. */
  headersTimeoutMs?: number
  /** How long a client may take for its whole request; the answer may take as long as it likes. */
  requestTimeoutMs?: number
  /** How long a client may take no byte of an answer that is there. */
  stalledTimeoutMs?: number
}

/** Serves a fetch function by node:http; one log line a request. */
export const createServer = (
  options: ServerOptions,
): Server<typeof NamedRequest, typeof CompleteResponse> => {
  const {
    fetch,
    log,
    tls,
    allowed,
    trustedProxies,
    isOutdated,
    headersTimeoutMs = 20_000,
    requestTimeoutMs = 120_000,
    stalledTimeoutMs = 300_000,
  } = options
  const adapter = createServerAdapter<Served>((request, { req, res }) =>
    // A rejection that reached the adapter would be answered with its stack.
    fetch(
      request,
      contextOf(req, {
        isOutdated: () => isOutdated?.(req.socket) ?? false,
        onCaller: () => connections.keep(req.socket, res),
      }),
    ).catch(() => new Response(null, { status: 500 })),
  )
  const server = createHttpOrHttps(
    tls,
    {
      IncomingMessage: NamedRequest,
      ServerResponse: CompleteResponse,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, headersTimeoutMs),
      // The Host header is not used, see below; a missing one would be refused without the envelope.
      requireHostHeader: false,
    },
    (request, response) => {
      if (isOutdated?.(request.socket)) return endUnanswered(response)
      response.stalledTimeoutMs = stalledTimeoutMs
      request.client = clientOf(request, trustedProxies)
      const path = normalizeTarget(request)
      logWhenDone(log, request, response, path ?? '')
      if (path === undefined) return sendFailure(response, refusal('malformed-request'))
      const tooMuch = targetRefusal(request.url ?? '')
      if (tooMuch) return sendFailure(response, tooMuch)
      void adapter.requestListener(request, response)
    },
  )
  const connections = limitConnections(server, {
    most: MOST_CONNECTIONS,
    allowed,
    proxies: trustedProxies,
    log,
  })
  keepHalfOpen(server)
  closeStalled(server, stalledTimeoutMs)
  server.on('clientError', refuse)
  server.on('checkExpectation', (_request, response) => sendFailure(response, refusal('expectation-failed')))
  return server
}

const createHttpOrHttps = (
  tls: SecureContextOptions | undefined,
  options: HttpServerOptions<typeof NamedRequest, typeof CompleteResponse>,
  listener: RequestListener<typeof NamedRequest, typeof CompleteResponse>,
): Server<typeof NamedRequest, typeof CompleteResponse> => {
  if (!tls) return createHttpServer(options, listener)
  // A certificate that is not good is told of in the answer.
  const clients = tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false }
  return createHttpsServer(
    { ...options, ...tls, ...clients, handshakeTimeout: options.headersTimeout, allowHalfOpen: true },
    listener,
  )
}

/** An answer that is owed to a request before, on the same connection, is not lost: its end is the connection's. */
const endUnanswered = (response: ServerResponse): void => {
  if (response.socket) response.socket.destroy()
  // Node gives an answer its connection when its turn has come.
  else response.once('socket', (socket: Socket) => socket.destroySoon())
}

/** What the adapter hands over with each request. */
interface Served {
  req: NamedRequest
  res: CompleteResponse
}

interface OfConnection extends Required<Pick<Client, 'isOutdated'>> {
  /** Called when it is known who asks. */
  onCaller(): void
}

const contextOf = (request: NamedRequest, { isOutdated, onCaller }: OfConnection): Context => {
  const { id, client, authority, target, notes } = request
  return {
    ...client,
    requestId: id,
    authority,
    target,
    isOutdated,
    note(fields) {
      Object.assign(notes, fields)
      if (fields.caller !== undefined) onCaller()
    },
  }
}

/** Its id is what the client is told of an unexpected error, and what the log has. */
class NamedRequest extends IncomingMessage {
  readonly id = randomUUID()
  client: Client = { address: '', isPrivate: false, isEncrypted: false }
  /** Host and port, and path and query, as the client has them: see normalizeTarget. */
  authority = ''
  target = ''
  /** What the handlers add to its line in the log. */
  readonly notes: object = {}
}

/**
 * Makes the adapter build its URL from the request target alone: it would paste in whatever Host header a client
 * sends. What it was is kept for signatures. Returns the path; undefined for a target that is none (`*`, or garbage).
 */
const normalizeTarget = (request: NamedRequest): string | undefined => {
  const target = request.url ?? ''
  request.authority = plainAuthority(request.headers.host ?? '', request.client.isEncrypted)
  request.target = target
  if (PLAIN_TARGET.test(target)) {
    request.headers.host = LOCAL
    return target
  }
  const origin = `http://${LOCAL}`
  const url = URL.parse(target.startsWith('/') ? origin + target : target)
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  request.headers.host = LOCAL
  request.url = url.pathname + url.search
  if (!target.startsWith('/')) {
    request.authority = plainAuthority(url.host, request.client.isEncrypted) // RFC 9112, 3.2.2: the Host header is ignored.
    request.target = request.url
  }
  return url.pathname
}

/** The router copies what it has of a repeated parameter for each repetition, before it is known who asks. */
const targetRefusal = (target: string): AgentError | undefined => {
  if (target.length > LONGEST_TARGET_BYTES) return refusal('target-too-long', { limit: LONGEST_TARGET_BYTES })
  if (target.split('&', MOST_PARAMETERS + 1).length <= MOST_PARAMETERS) return undefined
  return refusal('invalid-request', { detail: TOO_MANY_PARAMETERS })
}

/** What RFC 9112, 3, recommends to support at least. */
const LONGEST_TARGET_BYTES = 8000
const MOST_PARAMETERS = 64
const TOO_MANY_PARAMETERS = {
  zh: `查询参数超过 ${MOST_PARAMETERS} 个`,
  en: `the query has more than ${MOST_PARAMETERS} parameters`,
}
const LOCAL = 'localhost'

/** A path that is the same once it has been parsed, as nearly all requests have it. */
const PLAIN_TARGET = /^\/[\w/-]*$/

/** Idle ones cost a descriptor each, and jobs need descriptors too. */
const MOST_CONNECTIONS = 1000

/**
 * Closes connections whose client does not take its answer, and those that are kept open for another request. Who waits
 * for an answer that is not there yet may wait: neither side sends anything then.
 */
const closeStalled = (server: Server<typeof NamedRequest, typeof CompleteResponse>, ms: number): void => {
  server.setTimeout(ms, (socket: AnsweredSocket) => {
    if (!socket._httpMessage || socket.writableLength > 0) socket.destroy()
  })
}

/** Node's own mark of the answer that is being made. */
type AnsweredSocket = Socket & { _httpMessage?: ServerResponse | null }

/**
 * Lets a client that has ended its side get its answer, as long as there is one: a client that was killed has ended its
 * side too, and its host says so when the system asks it. Nobody reads from the connection any more, so that is found
 * out by writing, be it nothing.
 */
const keepHalfOpen = (server: Server<typeof NamedRequest, typeof CompleteResponse>): void => {
  // Node's own, of no documentation: without it the end of a request's side is the end of the answer's.
  Object.assign(server, { httpAllowHalfOpen: true })
  const probe = (socket: Socket): void => {
    if (socket.destroyed || socket.writableEnded) return
    socket.setKeepAlive(true, PROBE_MS)
    const timer = setInterval(() => socket.writable && socket.write(''), PROBE_MS)
    socket.once('close', () => clearInterval(timer))
  }
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    socket.once('end', () => probe(socket))
  })
}

const PROBE_MS = 30_000

/**
 * The adapter gives no reason phrase, and Node keeps the head of an answer back until its first byte: a follower of
 * a silent job would not know that it has been heard.
 */
class CompleteResponse extends ServerResponse<NamedRequest> {
  jobId: unknown
  stalledTimeoutMs = 0

  override writeHead(status: number, reason?: unknown, headers: OutgoingHttpHeaders = {}): this {
    // Headers that come with the head cannot be asked for afterwards.
    this.jobId = headers[JOB_ID_HEADER] ?? this.getHeader(JOB_ID_HEADER)
    const hasLength = 'Content-Length' in headers || this.hasHeader('Content-Length')
    // With the others: headers that are set before make Node look each of these up.
    super.writeHead(status, (reason as string) || (STATUS_CODES[status] ?? ''), {
      ...SAFE_HEADERS,
      ...headers,
    })
    if (!hasLength) this.flushHeaders()
    // The adapter takes the connection's time-out away when it begins to send a stream.
    process.nextTick(() => {
      if (!this.writableFinished) this.req.socket.setTimeout(this.stalledTimeoutMs)
    })
    return this
  }
}

const logWhenDone = (log: Log, request: NamedRequest, response: CompleteResponse, path: string): void => {
  const start = performance.now()
  const client = request.client.address
  response.once('close', () => {
    const fields = {
      requestId: request.id,
      method: request.method,
      path,
      status: response.statusCode,
      ms: Math.round((performance.now() - start) * 10) / 10,
      client,
      jobId: response.jobId,
      ...request.notes,
    }
    if (response.writableFinished) log.info(fields, 'request')
    else log.info({ ...fields, status: undefined, aborted: true }, 'request')
  })
}

/** What the parser refuses, and clients that are too slow, get the envelope too. */
const refuse = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  const response = (socket as AnsweredSocket)._httpMessage
  if (response?.req.complete && socket.writable && error.code !== 'ECONNRESET') {
    // An answer is still owed to the request before, a sync call perhaps: it must not be taken for this one's.
    response.shouldKeepAlive = false
    return
  }
  if (!socket.writable || error.code === 'ECONNRESET' || response?.headersSent) {
    socket.destroy()
    return
  }
  const { status, envelope } = errorAnswer(parserRefusal(error.code))
  const body = JSON.stringify(envelope)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}\r\nConnection: close\r\n` +
      Object.entries(SAFE_HEADERS)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('') +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  // At once would be a reset where more has come than was read, and the client would lose its answer.
  const timer = setTimeout(() => socket.destroy(), LAST_READ_MS)
  socket.once('close', () => clearTimeout(timer))
}

/** How long a client that was refused may take to read why. */
const LAST_READ_MS = 1000

const parserRefusal = (code: string | undefined): AgentError => {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusal('request-timeout')
  return code === 'HPE_HEADER_OVERFLOW' ? refusal('headers-too-large') : refusal('malformed-request')
}

const STATUS_TEXTS: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

const sendFailure = (response: ServerResponse, error: AgentError): void => {
  const { status, envelope } = errorAnswer(error, response.req.headers['accept-language'])
  const body = Buffer.from(JSON.stringify(envelope))
  response.writeHead(status, '', {
    'Content-Type': 'application/json; charset=utf-8',
    Connection: 'close',
    'Content-Length': body.length,
  })
  response.end(body)
}
