import type { Msg } from '@nats-io/nats-core'
import { within } from '../../lib/base/within.ts'
import { WIRE } from '../../lib/fleet/wire.ts'
import type { Answer } from './answer.ts'
import type { Inbox } from './inbox.ts'

export interface UploadOptions {
  /** How large the body is said to be. */
  bytes: number
  answer: Pick<Answer, 'id' | 'publish' | 'signal'>
  inbox: Inbox
  /** How long a piece may take to come, and all of them, in milliseconds. */
  silenceMs: number
  wholeMs?: number
}

/**
 * A body that does not come with its request: each piece of it is asked for when whoever reads the body is ready for
 * it, which is not before it is known who asks and whether there is room. It fails when a piece does not come, or more
 * comes than was said. To be closed when the request was answered: whoever has given it up does not say so.
 */
export const createUpload = ({ bytes, answer, inbox, silenceMs, wholeMs = WHOLE_MS }: UploadOptions) => {
  const token = `${answer.id}u`
  const endsAt = performance.now() + wholeMs
  let received = 0
  let body: ReadableStreamDefaultController<Uint8Array>
  let arrived: ((piece: Uint8Array | undefined) => void) | undefined

  const close = (): void => {
    inbox.forget(token)
    arrived?.(undefined)
  }

  /** Undefined where none comes. */
  const next = async (): Promise<Uint8Array | undefined> => {
    const leftMs = endsAt - performance.now()
    if (leftMs <= 0) return undefined
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
    arrived = resolve
    answer.publish(
      'continue',
      { [WIRE.received]: String(received) },
      { reply: inbox.subjectOf(token, received) },
    )
    const piece = await within(promise, Math.min(silenceMs, leftMs))
    arrived = undefined
    return piece
  }

  inbox.listen(token, (message: Msg, rest) => {
    // A piece that comes twice, or one that was asked for before, is not for now.
    if (rest === String(received)) arrived?.(message.data)
  })

  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        body = controller
      },
      async pull() {
        const piece = await next()
        if (!piece || piece.length === 0 || answer.signal.aborted) fail('the body has broken off')
        else if (received + piece.length > bytes) fail('the body is longer than was said')
        else {
          received += piece.length
          body.enqueue(piece)
          if (received < bytes) return
          body.close()
        }
        close()
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  )

  /** Drops what has come and was not read. */
  const fail = (message: string): void => body.error(new Error(message))

  return {
    stream,
    close(): void {
      close()
      fail('nobody reads the body any more')
    },
  }
}

/** As long as the HTTP server waits for a whole request. */
const WHOLE_MS = 120_000
