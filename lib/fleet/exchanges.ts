import {
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  PermissionViolationError,
  type Subscription,
} from '@nats-io/nats-core'
import { FleetError } from './fleet-error.ts'
import { isReplySubject, newInbox, newToken, refuseUnfit } from './inbox.ts'
import { headersOf, isNobodyThere, messageHeaders, numberOf, roomOf, WIRE } from './wire.ts'

export interface FleetRequest {
  method: string
  /** Path and query. */
  target: string
  headers: Iterable<[string, string]>
  body?: Uint8Array | undefined
}

/** What comes of a request that was published. */
export interface ExchangeListener {
  /** False for what is no part of the answer: it gets nothing of the request's body either. */
  message(kind: string, headers: MsgHdrs, message: Msg): unknown
  /** Nothing more comes. */
  failed(error: FleetError): void
  /** Called every second. */
  look?(): void
}

/** A body that does not come with its request. */
interface Upload {
  body: Uint8Array
  /** How much of it has gone to who gives an answer, by the answer's id. */
  sent: Map<string, number>
}

/**
 * Requests over one connection, each with what comes of it: one subscription for all. `inbox` is what the subjects of
 * answers begin with, where the engine lets this user subscribe. Throws TypeError for one on which no agent answers.
 */
export const createExchanges = (connection: NatsConnection, { inbox = '_INBOX' } = {}) => {
  refuseUnfit(inbox)
  const base = newInbox(inbox)
  const open = new Map<string, { subject: string; upload: Upload | undefined; listener: ExchangeListener }>()
  let subscription: Subscription | undefined
  let isConnected = connection.info !== undefined
  let timer: ReturnType<typeof setInterval> | undefined

  const end = (token: string): void => {
    open.delete(token)
    if (open.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  const fail = (token: string, error: FleetError): void => {
    const exchange = open.get(token)
    end(token)
    exchange?.listener.failed(error)
  }

  const failAll = (error: FleetError, isMeant = (_subject: string) => true): void => {
    for (const [token, { subject }] of open) if (isMeant(subject)) fail(token, error)
  }

  const acknowledge = (reply: string, isCancel: boolean): void => {
    try {
      connection.publish(
        reply,
        undefined,
        isCancel ? { headers: messageHeaders({ [WIRE.kind]: 'cancel' }) } : {},
      )
    } catch {
      // Where there is no connection any more the agent finds out by itself.
    }
  }

  /** The next piece of a body that was too large for one message; each goes once for each answer. */
  const sendPiece = (upload: Upload, headers: MsgHdrs, reply: string): void => {
    const id = headers.get(WIRE.answer)
    const from = upload.sent.get(id) ?? 0
    if (numberOf(headers, WIRE.received) !== from) return
    const piece = upload.body.subarray(from, from + roomOf(connection))
    upload.sent.set(id, from + piece.length)
    if (piece.length > 0) connection.publish(reply, piece)
  }

  const receive = (message: Msg): void => {
    // No agent sends that: it would have this user publish what who sends it may not.
    if (message.reply && !isReplySubject(message.reply)) return
    const token = message.subject.slice(base.length + 1)
    const exchange = open.get(token)
    const headers = headersOf(message)
    if (isNobodyThere(message, headers)) {
      fail(token, new FleetError('nobody-there', 'nobody answers there'))
      return
    }
    const kind = headers?.get(WIRE.kind)
    if (!headers || !kind) return
    // It was given up before there was anybody who could be told.
    if (!exchange) {
      if (message.reply) acknowledge(message.reply, true)
      return
    }
    const isWanted = exchange.listener.message(kind, headers, message) !== false
    if (isWanted && kind === 'continue' && exchange.upload && message.reply)
      sendPiece(exchange.upload, headers, message.reply)
  }

  const subscribe = (): void => {
    subscription ??= connection.subscribe(`${base}.*`, {
      callback(error, message) {
        if (!error) return receive(message)
        subscription = undefined
        failAll(
          new FleetError('not-allowed', `the engine does not let this user receive answers on ${inbox}.>`),
        )
      },
    })
  }

  const statuses = connection.status()
  const watch = async (): Promise<void> => {
    for await (const status of statuses) {
      if (status.type === 'disconnect') {
        isConnected = false
        failAll(new FleetError('lost', 'the connection to the engine has broken'))
      } else if (status.type === 'reconnect') isConnected = true
      else if (status.type === 'error' && status.error instanceof PermissionViolationError) {
        const { operation, subject } = status.error
        if (operation === 'publish')
          failAll(
            new FleetError('not-allowed', `the engine does not let this user publish to ${subject}`),
            one => one === subject,
          )
      }
    }
    isConnected = false
    failAll(new FleetError('lost', 'the connection to the engine was closed'))
  }
  void watch()

  return {
    acknowledge,

    /** Publishes a request; the result has it given up. */
    ask(subject: string, request: FleetRequest, listener: ExchangeListener): () => void {
      const token = newToken()
      const { method, target, headers, body } = request
      if (!isConnected) {
        listener.failed(new FleetError('not-sent', 'there is no connection to the engine'))
        return () => {}
      }
      const isLarge = body !== undefined && body.length > roomOf(connection)
      const fields = {
        [WIRE.method]: method,
        [WIRE.target]: target,
        ...(isLarge && { [WIRE.bodyBytes]: String(body.length) }),
      }
      subscribe()
      open.set(token, { subject, upload: isLarge ? { body, sent: new Map() } : undefined, listener })
      timer ??= setInterval(() => {
        for (const { listener } of open.values()) listener.look?.()
      }, LOOK_MS)
      try {
        connection.publish(subject, isLarge ? undefined : body, {
          headers: messageHeaders(fields, headers),
          reply: `${base}.${token}`,
        })
      } catch (error) {
        fail(token, new FleetError('not-sent', (error as Error).message))
      }
      return () => end(token)
    },

    /** What is still open is given up. */
    close(): void {
      subscription?.unsubscribe()
      stopStatus(statuses)
    },
  }
}

/** The library's own iterator would be told of everything until the connection is closed. */
export const stopStatus = (statuses: AsyncIterable<unknown>): void => (statuses as { stop?(): void }).stop?.()

const LOOK_MS = 1000
