import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web'
import type { Pace } from './pace.ts'

/** Pieces of a body; the signal is aborted when nobody reads it any more. */
export type Source = (signal: AbortSignal) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** How a body is read that is made while it is sent: in turns with others, for as long as the caller may. */
export interface Reading {
  pace: Pace
  /** False once the key was taken out, has expired, or has lost the right. */
  isAllowed(): boolean
}

/** The signal is aborted when the reader is gone. */
export interface BodyReader extends Reading {
  signal: AbortSignal
}

/**
 * A body that takes the next piece from its source only when the reader has room for it. The signal that the source
 * gets is aborted when the request is, or when the body is canceled: a source that waits must not wait for nobody.
 * `onEnd` is called once: when all was sent, when the source failed, and when nobody reads it any more.
 */
export const streamOf = (
  source: Source,
  { signal: requestSignal, pace, isAllowed }: BodyReader,
  onEnd: () => void,
): globalThis.ReadableStream<Uint8Array> => {
  const controller = new AbortController()
  const iterator = iteratorOf(source(controller.signal))
  let hasEnded = false
  const end = (): void => {
    if (hasEnded) return
    hasEnded = true
    requestSignal.removeEventListener('abort', abandon)
    onEnd()
  }
  const forbid = async (body: ReadableStreamDefaultController): Promise<void> => {
    body.error(new Error('the caller may not read this any more'))
    abandon()
    await iterator.return?.()
  }
  const abandon = (): void => {
    controller.abort()
    end()
  }
  if (requestSignal.aborted) abandon()
  else requestSignal.addEventListener('abort', abandon)

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(body) {
        try {
          await pace()
          const { done, value } = await iterator.next()
          // An answer may go on for days. It is broken off, so that nobody takes it for whole.
          if (!isAllowed()) return forbid(body)
          if (!done) return body.enqueue(value)
          body.close()
        } catch (error) {
          body.error(error)
        }
        end()
      },
      async cancel() {
        abandon()
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
  return body as unknown as globalThis.ReadableStream<Uint8Array>
}

type Pieces = ReturnType<Source>

const iteratorOf = (pieces: Pieces): Iterator<Uint8Array> | AsyncIterator<Uint8Array> =>
  Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]()
