import { headers as createHeaders, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core'

/** Headers of messages that carry a request, or a piece of an answer. Headers of HTTP are there besides. */
export const WIRE = {
  /** Of a request. */
  method: 'Newdt-Method',
  /** Path and query. */
  target: 'Newdt-Target',
  /** How large a body is that does not come with its request. */
  bodyBytes: 'Newdt-Body-Bytes',
  /** What a message of an answer is; see Kind. */
  kind: 'Newdt-Kind',
  /** Of a `continue`: how much of the body has come. The next piece is published to its reply subject. */
  received: 'Newdt-Received',
  status: 'Newdt-Status',
  /** 0 is the head. */
  seq: 'Newdt-Seq',
  /** `true` on the last message of an answer. */
  end: 'Newdt-End',
  /** Which agent answers. */
  host: 'Newdt-Host',
  /** Tells answers apart that come on one subject. */
  answer: 'Newdt-Answer',
  /** Of an `error`: one word. */
  error: 'Newdt-Error',
} as const

/**
 * `head`: status, headers and the first piece of the body. `part`: another piece. `alive`: there is nothing to send yet.
 * `continue`: the next piece of the request's body is wanted. `error`: the answer has broken off. A message with a
 * reply subject is acknowledged there, by an empty message; or by `cancel`, when nobody wants the answer any more.
 */
export type Kind = 'head' | 'part' | 'alive' | 'continue' | 'error' | 'cancel'

/** How often an agent says that it is still there while it has nothing to send, and how long one waits for it. */
export const ALIVE_MS = 10_000
export const SILENCE_MS = 30_000

/** How many pieces are on their way to a reader that has not acknowledged them. */
export const WINDOW = 8

/** How large a piece of an answer is at most, also where the engine takes larger messages. */
export const PIECE_BYTES = 128 << 10

/** How many bytes have room in a message, beside the headers. */
export const roomOf = ({ info }: Pick<NatsConnection, 'info'>): number =>
  Math.max(1024, (info?.max_payload ?? 1 << 20) - MOST_HEADER_BYTES - 4096)

/**
 * The headers of a message. Undefined when there are none, when they are none, or when there are too many: parsing takes
 * its time, which grows with the square of their number.
 */
export const headersOf = (message: Msg): MsgHdrs | undefined => {
  if (hasTooManyHeaders(message)) return undefined
  try {
    return message.headers
  } catch {
    return undefined
  }
}

/** Whether the headers of a message are too many, or too long, to be parsed; of their bytes only the lines are counted. */
export const hasTooManyHeaders = (message: Msg): boolean => {
  const { _msg, _rdata } = message as unknown as { _msg?: { hdr?: number }; _rdata?: Uint8Array }
  const bytes = Math.max(0, _msg?.hdr ?? 0)
  if (bytes > MOST_HEADER_BYTES) return true
  let lines = 0
  for (let at = 0; at < bytes; at++) if (_rdata?.[at] === NEWLINE) lines++
  return lines > MOST_HEADER_LINES
}

/** As long as Node's own HTTP server takes them. */
const MOST_HEADER_BYTES = 16 << 10
const MOST_HEADER_LINES = 100
const NEWLINE = 10

/** The headers of HTTP among those of a message. Throws TypeError for what HTTP does not allow. */
export const httpHeadersOf = (headers: MsgHdrs): Headers => {
  const found = new Headers()
  for (const [name, values] of headers) {
    if (OWN.test(name)) continue
    for (const value of values) found.append(name, value)
  }
  return found
}

const OWN = /^(newdt|nats)-/i

/** Headers for a message. Throws for a value that is none. */
export const messageHeaders = (
  fields: Record<string, string>,
  http?: Iterable<[string, string]>,
): MsgHdrs => {
  const headers = createHeaders()
  for (const [name, value] of Object.entries(fields)) headers.append(name, value)
  for (const [name, value] of http ?? []) headers.append(name.toLowerCase(), value)
  return headers
}

/** A number of a header; undefined for any other text. */
export const numberOf = (headers: MsgHdrs, name: string): number | undefined => {
  const text = headers.get(name)
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** What the engine says when nobody listens on the subject of a message. */
export const isNobodyThere = (message: Msg, headers: MsgHdrs | undefined): boolean =>
  message.data.length === 0 && headers?.code === 503
