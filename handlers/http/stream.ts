import { ReadableStream } from 'node:stream/web'

type Source = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * A body that takes the next piece from its source only when the reader has room for it. The signal that the source
 * gets is aborted when the request is, or when the body is canceled: a source that waits must not wait for nobody.
 */
export const streamOf = (
  open: (signal: AbortSignal) => Source,
  requestSignal: AbortSignal,
): globalThis.ReadableStream<Uint8Array> => {
  const controller = new AbortController()
  const abort = () => controller.abort()
  if (requestSignal.aborted) abort()
  requestSignal.addEventListener('abort', abort, { once: true })
  const reader = ReadableStream.from(open(controller.signal)).getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(body) {
        const { done, value } = await reader.read()
        if (done) body.close()
        else body.enqueue(value)
      },
      async cancel() {
        abort()
        await reader.cancel()
      },
    },
    { highWaterMark: 0 },
  )
  return body as unknown as globalThis.ReadableStream<Uint8Array>
}
