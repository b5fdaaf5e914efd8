/** Of an answer that is a stream of server-sent events (WHATWG HTML, 9.2). */
export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no', // nginx would hold events back.
}

/** JSON has no raw line ends, so its one line is the whole of the data. */
export const serverSentEvent = (name: string, data: unknown, id?: number | string): string =>
  `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`

/** A comment, for when nothing happens. */
export const STILL_HERE = ': still here\n\n'

/** Proxies close what is silent for longer, often after a minute. */
export const HEARTBEAT_MS = 15_000

export async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text)
}
