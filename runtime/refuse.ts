import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { refusal } from '../handlers/http/refusal.ts'
import { errorAnswer } from '../handlers/http/reply.ts'
import type { AgentError } from '../lib/base/errors.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

/** Node's own mark of the answer that is being made. */
export type AnsweredSocket = Socket & { _httpMessage?: ServerResponse | null }

/** What the parser refuses, and clients that are too slow, get the envelope too. */
export const refuseUnparsed = (error: NodeJS.ErrnoException, socket: Duplex): void => {
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

/** Answers a request that does not get to the handlers. */
export const sendFailure = (response: ServerResponse, error: AgentError): void => {
  const { status, envelope } = errorAnswer(error, response.req.headers['accept-language'])
  const body = Buffer.from(JSON.stringify(envelope))
  response.writeHead(status, '', {
    'Content-Type': 'application/json; charset=utf-8',
    Connection: 'close',
    'Content-Length': body.length,
  })
  response.end(body)
}
