import {
  createServer as createHttpServer,
  type ServerOptions as HttpServerOptions,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { type SecureContextOptions, Server as TlsServer } from 'node:tls'
import { createServerAdapter } from '@whatwg-node/server'
import { refusal } from '../handlers/http/refusal.ts'
import type { Context } from '../handlers/services.ts'
import type { Log } from '../lib/base/log.ts'
import type { AddressList } from '../lib/security/address-list.ts'
import type { Client } from '../lib/security/authenticator.ts'
import { clientOf } from './client.ts'
import { CompleteResponse } from './complete-response.ts'
import { limitConnections } from './connections.ts'
import { NamedRequest } from './named-request.ts'
import { type AnsweredSocket, refuseUnparsed, sendFailure } from './refuse.ts'
import { normalizeTarget, targetRefusal } from './request-target.ts'

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
  server.on('clientError', refuseUnparsed)
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
