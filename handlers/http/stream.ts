import { ReadableStream } from 'node:stream/web'

/** Pieces of a body; the signal is aborted when nobody reads it any more. */
export type Source = (signal: AbortSignal) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * A body that takes the next piece from its source only when the reader has room for it. The signal that the source
 * gets is aborted when the request is, or when the body is canceled: a source that waits must not wait for nobody.
 * `onEnd` is called once: when all was sent, when the source failed, and when nobody reads it any more.
 */
export const streamOf = (
  source: Source,
  requestSignal: AbortSignal,
  onEnd: () => void,
): globalThis.ReadableStream<Uint8Array> => {
  const controller = new AbortController()
  const iterator = iteratorOf(source(controller.signal))
  const nextTurn = createTurns()
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
          await nextTurn()
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

/** Lets others have the event loop now and then: a fast reader's pieces come without a turn of it in between. */
const createTurns = () => {
  let pieces = 0
  let began = performance.now()
  return async (): Promise<void> => {
    if (++pieces <= PIECES_A_TURN && performance.now() - began < MS_A_TURN) return
    await new Promise(setImmediate)
    pieces = 1
    began = performance.now()
  }
}

const PIECES_A_TURN = 32
const MS_A_TURN = 5
