/** One of the server-sent events of a stream. */
export interface ServerSentEvent {
  name: string
  data: string
}

/**
 * Splits a stream into its events (WHATWG HTML, 9.2.6) as far as agents write them: `event` and `data`, one line
 * each, LF alone. An event that is cut off is none. Each byte is looked at once.
 */
export const createEventParser = () => {
  const decoder = new TextDecoder()
  let line: string[] = []
  let event: ServerSentEvent = { name: '', data: '' }

  const endLine = (): ServerSentEvent | undefined => {
    const text = line.join('')
    line = []
    if (text === '') {
      const ended = event
      event = { name: '', data: '' }
      return ended.name === '' ? undefined : ended
    }
    if (text.startsWith('event: ')) event.name = text.slice(7)
    if (text.startsWith('data: ')) event.data = text.slice(6)
    return undefined
  }

  return function* add(bytes: Uint8Array): Generator<ServerSentEvent> {
    const text = decoder.decode(bytes, { stream: true })
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      line.push(text.slice(start, end))
      start = end + 1
      const ended = endLine()
      if (ended) yield ended
    }
    if (start < text.length) line.push(text.slice(start))
  }
}
