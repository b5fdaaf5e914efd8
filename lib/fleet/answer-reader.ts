import type { Msg, MsgHdrs } from '@nats-io/nats-core'
import { FleetError } from './fleet-error.ts'
import { httpHeadersOf, numberOf, PIECE_BYTES, WINDOW, WIRE } from './wire.ts'

export interface AnswerReaderOptions {
  /** Called once, unless it fails before. */
  onHead(response: Response): void
  /** Called when it fails before its head. */
  onFailed(error: FleetError): void
  /** Called when nothing more is wanted, or comes. */
  onOver(): void
  /** Tells the agent that a message has been taken, or that nothing more is wanted. */
  acknowledge(reply: string, isCancel: boolean): void
  now(): number
  /** For what waits for whoever reads it; false when there is none. All of it is given back. */
  memory?: { take(bytes: number): boolean; giveBack(bytes: number): void }
}

/**
 * Makes a Response of the messages of one answer. A piece is acknowledged when whoever reads the body has taken it, so
 * a slow reader has few of them waiting. A piece that is missing breaks the body.
 */
export const createAnswerReader = (options: AnswerReaderOptions) => {
  const { onHead, onFailed, onOver, acknowledge, now, memory } = options
  const waiting: Piece[] = []
  let seq = 0
  let heardAt = now()
  /** Where the agent can be told that nothing more is wanted. */
  let latestReply = ''
  let body: ReadableStreamDefaultController<Uint8Array> | undefined
  let wanted: (() => void) | undefined
  let isOver = false

  const over = (): void => {
    if (isOver) return
    isOver = true
    for (const { bytes } of waiting.splice(0)) memory?.giveBack(bytes.length)
    onOver()
    wanted?.()
  }

  const fail = (error: FleetError): void => {
    if (isOver) return
    if (latestReply !== '') acknowledge(latestReply, true)
    if (body) body.error(error)
    else onFailed(error)
    over()
  }

  const lost = (message: string): void => fail(new FleetError('lost', message))

  /** Gives the next piece to who reads; false for one that has nothing in it. */
  const deliver = ({ bytes, reply, isLast }: Piece): boolean => {
    memory?.giveBack(bytes.length)
    if (reply !== '') acknowledge(reply, false)
    if (bytes.length > 0) body?.enqueue(bytes)
    if (isLast) {
      body?.close()
      over()
    }
    return bytes.length > 0
  }

  const keep = (piece: Piece): void => {
    // An agent waits with the ninth for who takes the first, and sends none that is larger.
    const isTooMuch = waiting.length > WINDOW || piece.bytes.length > PIECE_BYTES
    if (isTooMuch) lost('more comes than was asked for')
    else if (memory && !memory.take(piece.bytes.length)) lost('there is no room for what comes')
    else waiting.push(piece)
  }

  const arrival = (): Promise<void> =>
    new Promise(resolve => {
      wanted = resolve
    })

  const stream = (): ReadableStream<Uint8Array> =>
    new ReadableStream<Uint8Array>(
      {
        start(controller) {
          body = controller
        },
        async pull() {
          while (!isOver) {
            const piece = waiting.shift()
            if (!piece) await arrival()
            else if (deliver(piece)) return
          }
        },
        cancel() {
          if (latestReply !== '') acknowledge(latestReply, true)
          over()
        },
      },
      { highWaterMark: 0 },
    )

  /** Of an answer that has come in one message; undefined when there is no room. */
  const whole = (bytes: Uint8Array<ArrayBuffer>): BodyInit | undefined => {
    if (!memory) return bytes
    if (!memory.take(bytes.length)) return undefined
    return new ReadableStream(
      {
        pull(controller) {
          memory.giveBack(bytes.length)
          controller.enqueue(bytes)
          controller.close()
        },
        cancel: () => memory.giveBack(bytes.length),
      },
      { highWaterMark: 0 },
    )
  }

  const head = (headers: MsgHdrs, { data }: Msg, isLast: boolean): void => {
    const status = numberOf(headers, WIRE.status) ?? 0
    if (body || status < 200 || status > 599) {
      lost('the answer is none')
      return
    }
    const isBodiless = [204, 205, 304].includes(status) || (isLast && data.length === 0)
    try {
      const init = { status, headers: httpHeadersOf(headers) }
      init.headers.set(WIRE.host, headers.get(WIRE.host))
      if (data.length > PIECE_BYTES) lost('more comes than was asked for')
      else if (isBodiless || isLast) {
        const bytes = isBodiless ? null : whole(data.slice())
        if (bytes === undefined) {
          lost('there is no room for what comes')
          return
        }
        const response = new Response(bytes, init)
        over()
        onHead(response)
      } else {
        const response = new Response(stream(), init)
        onHead(response)
        if (data.length > 0) keep({ bytes: data, reply: '', isLast: false })
      }
    } catch {
      lost('the answer is none')
    }
  }

  const part = (headers: MsgHdrs, message: Msg, isLast: boolean): void => {
    if (!body || numberOf(headers, WIRE.seq) !== ++seq) lost('a piece of the answer is missing')
    else {
      keep({ bytes: message.data, reply: message.reply ?? '', isLast })
      wanted?.()
    }
  }

  return {
    heardAt: (): number => heardAt,
    fail,

    take(kind: string, headers: MsgHdrs, message: Msg): void {
      if (isOver) return
      heardAt = now()
      if (message.reply) latestReply = message.reply
      const isLast = headers.get(WIRE.end) === 'true'
      if (kind === 'head') head(headers, message, isLast)
      else if (kind === 'part') part(headers, message, isLast)
      else if (kind === 'alive' && message.reply) acknowledge(message.reply, false)
      else if (kind === 'error') fail(faultOf(wordOf(headers)))
    },
  }
}

interface Piece {
  bytes: Uint8Array
  reply: string
  isLast: boolean
}

export type AnswerReader = ReturnType<typeof createAnswerReader>

const faultOf = (word: string): FleetError =>
  word === 'busy'
    ? new FleetError('busy', 'the agent has too many answers under way')
    : new FleetError('lost', `the answer has broken off: ${word}`)

/** It goes to a terminal. */
const wordOf = (headers: MsgHdrs): string =>
  /^[a-z-]{1,32}$/.exec(headers.get(WIRE.error))?.[0] ?? 'no reason'
