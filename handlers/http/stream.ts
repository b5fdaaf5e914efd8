import { ReadableStream } from 'node:stream/web'
import type { Pace } from './pace.ts'

/** Pieces of a body; the signal is aborted when nobody reads it any more. */
export type Source = (signal: AbortSignal) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Who is to read a body: the signal is aborted when they are gone, and they take turns with others. */
export interface BodyReader {
  signal: AbortSignal
  pace: Pace
}

/**
 * A body that takes the next piece from its source only when the reader has room for it. The signal that the source
 * gets is aborted when the request is, or when the body is canceled: a source that waits must not wait for nobody.
 * `onEnd` is called once: when all was sent, when the source failed, and when nobody reads it any more.
 */
export const streamOf = (
  source: Source,
  { signal: requestSignal, pace }: BodyReader,
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
