import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { newToken } from '../../lib/fleet/inbox.ts'
import {
  headersOf,
  isNobodyThere,
  type Kind,
  messageHeaders,
  PIECE_BYTES,
  roomOf,
  WINDOW,
  WIRE,
} from '../../lib/fleet/wire.ts'
import type { Inbox } from './inbox.ts'
import type { Outflow } from './outflow.ts'

/** Milliseconds. */
export interface AnswerTimes {
  /** After so long without a message there is one that says that the agent is still there. */
  aliveMs: number
  /** How long a reader may acknowledge nothing at all. */
  silenceMs: number
  /** How long it may take no piece of an answer that is there. */
  stalledMs: number
}

export interface AnswerOptions {
  connection: NatsConnection
  inbox: Inbox
  outflow: Pick<Outflow, 'take'>
  /** The name of the agent. */
  host: string
  /** Where the reader is. */
  reply: string
  times: AnswerTimes
  now: () => number
}

interface PublishOptions {
  bytes?: Uint8Array
  http?: Headers
  /** Has the message acknowledged, by this name. */
  ack?: string | number
  /** Where else the reader is to send something to. */
  reply?: string
}

/** One answer on its way to one reader, who acknowledges each piece: no more than a few are on their way. */
export const createAnswer = ({ connection, inbox, outflow, host, reply, times, now }: AnswerOptions) => {
  const id = newToken()
  const gone = new AbortController()
  const common = { [WIRE.host]: host, [WIRE.answer]: id }
  /** Pieces that were not acknowledged yet. */
  const due = new Set<number>()
  const pieceBytes = Math.min(PIECE_BYTES, roomOf(connection))
  let seq = 0
  let sentAt = now()
  /** Since when the reader owes a sign of life, and since when it takes nothing. */
  let askedAt: number | undefined
  let stalledAt: number | undefined
  let wake = (): void => {}
  let isUnderWay = false

  const giveUp = (): void => {
    gone.abort()
    wake()
  }

  const heard = (piece: number): void => {
    const isPiece = due.delete(piece)
    const isOwing = due.size > 0
    askedAt = isOwing ? now() : undefined
    if (!isPiece) return
    stalledAt = askedAt
    wake()
  }

  inbox.listen(id, (message: Msg, rest) => {
    const headers = headersOf(message)
    if (isNobodyThere(message, headers) || headers?.get(WIRE.kind) === 'cancel') giveUp()
    else if (rest === ALIVE || due.has(Number(rest))) heard(Number(rest))
  })

  const publish = (
    kind: Kind,
    fields: Record<string, string>,
    { bytes, http, ack, reply: to }: PublishOptions = {},
  ): void => {
    if (gone.signal.aborted) return
    try {
      const headers = messageHeaders({ ...common, [WIRE.kind]: kind, ...fields }, http)
      const back = ack === undefined ? to : inbox.subjectOf(id, ack)
      connection.publish(reply, bytes ?? NOTHING, { headers, ...(back !== undefined && { reply: back }) })
      sentAt = now()
      if (ack !== undefined) askedAt ??= sentAt
    } catch {
      giveUp() // The connection is closed, or the subject is none.
    }
  }

  /** Resolves when there is room for another piece, or nobody is there any more. */
  const room = async (): Promise<void> => {
    while (due.size >= WINDOW && !gone.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
    }
  }

  const part = async (bytes: Uint8Array, fields: Record<string, string> = {}): Promise<void> => {
    await room()
    if (gone.signal.aborted) return
    await outflow.take(bytes.length)
    due.add(++seq)
    stalledAt ??= now()
    publish('part', { [WIRE.seq]: String(seq), ...fields }, { bytes, ack: seq })
  }

  const sendPieces = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    const reader = body.getReader()
    const cancel = (): void => void reader.cancel().catch(() => {})
    gone.signal.addEventListener('abort', cancel)
    if (gone.signal.aborted) cancel()
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        for (const piece of piecesOf(next.value, pieceBytes)) await part(piece)
      }
      await part(NOTHING, { [WIRE.end]: 'true' })
    } finally {
      gone.signal.removeEventListener('abort', cancel)
    }
  }

  const alive = (): void => publish('alive', {}, { ack: ALIVE })

  return {
    id,
    reply,
    /** Says that the agent is there. */
    alive,
    /** Aborted when nobody reads the answer any more. */
    signal: gone.signal,
    giveUp,
    publish,

    /** Sends all of it. Resolves with whether all was sent; what a source fails with breaks the answer off. */
    async send(response: Response): Promise<boolean> {
      const { status, headers, body } = response
      const head = { [WIRE.status]: String(status), [WIRE.seq]: '0' }
      const length = headers.get('content-length')
      try {
        if (body === null || (length !== null && Number(length) <= pieceBytes)) {
          const bytes = body === null ? NOTHING : new Uint8Array(await response.arrayBuffer())
          await outflow.take(bytes.length)
          publish('head', { ...head, [WIRE.end]: 'true' }, { bytes, http: headers })
        } else {
          // It goes out before there is anything of the body: who follows a silent job has to know that it was heard.
          isUnderWay = true
          publish('head', head, { http: headers, ack: ALIVE })
          await sendPieces(body)
        }
        return !gone.signal.aborted
      } catch {
        publish('error', { [WIRE.error]: 'broken' })
        return false
      }
    },

    /** Called now and then: says that the agent is there, and finds out whether the reader is. */
    look(): void {
      const time = now()
      const isSilent = askedAt !== undefined && time - askedAt > times.silenceMs
      const isStalled = stalledAt !== undefined && time - stalledAt > times.stalledMs
      if (isSilent || isStalled) {
        publish('error', { [WIRE.error]: 'not-taken' })
        giveUp()
      } else if (time - sentAt >= times.aliveMs) alive()
    },

    /** Whether pieces of it are on their way, of which some may be lost. */
    isUnderWay: (): boolean => isUnderWay,

    close(): void {
      inbox.forget(id)
    },
  }
}

export type Answer = ReturnType<typeof createAnswer>

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const NOTHING = new Uint8Array()
const ALIVE = 'alive'
