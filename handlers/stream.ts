import { ReadableStream } from 'node:stream/web'

/** A body that takes the next piece from its source only when the reader has room for it. */
export const streamOf = (
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): globalThis.ReadableStream<Uint8Array> =>
  ReadableStream.from(source) as unknown as globalThis.ReadableStream<Uint8Array>
