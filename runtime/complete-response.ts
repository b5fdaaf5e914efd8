import { type OutgoingHttpHeaders, ServerResponse, STATUS_CODES } from 'node:http'
import { JOB_ID_HEADER } from '../handlers/http/reply.ts'
import type { NamedRequest } from './named-request.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

/**
 * The adapter gives no reason phrase, and Node keeps the head of an answer back until its first byte: a follower of
 * a silent job would not know that it has been heard.
 */
export class CompleteResponse extends ServerResponse<NamedRequest> {
  jobId: unknown
  stalledTimeoutMs = 0
  /** As the head says. */
  private announcedLength: unknown

  override writeHead(status: number, reason?: unknown, headers: OutgoingHttpHeaders = {}): this {
    // Headers that come with the head cannot be asked for afterwards.
    this.jobId = headers[JOB_ID_HEADER] ?? this.getHeader(JOB_ID_HEADER)
    this.announcedLength = headers['Content-Length'] ?? this.getHeader('Content-Length')
    // With the others: headers that are set before make Node look each of these up.
    super.writeHead(status, (reason as string) || (STATUS_CODES[status] ?? ''), {
      ...SAFE_HEADERS,
      ...headers,
    })
    if (this.announcedLength === undefined) this.flushHeaders()
    // The adapter takes the connection's time-out away when it begins to send a stream.
    process.nextTick(() => {
      if (!this.writableFinished) this.req.socket.setTimeout(this.stalledTimeoutMs)
    })
    return this
  }

  /** A short body is whole when the adapter writes it: with the end of the answer it is one piece, without it two. */
  override write(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    const isShort = typeof chunk === 'string' && chunk.length <= SHORT_BODY && rest.length === 0
    if (!isShort || String(Buffer.byteLength(chunk)) !== this.announcedLength)
      return super.write(chunk, ...(rest as []))
    this.end(chunk)
    return true
  }
}

/** In units of UTF-16: to look at a longer one costs more than is saved. */
const SHORT_BODY = 64 << 10
