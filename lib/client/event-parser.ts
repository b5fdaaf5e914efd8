/** One of the server-sent events of a stream. */
export interface ServerSentEvent {
  name: string
  /** "" when it has none. */
  id: string
  data: string
}

/**
 * Splits a stream into its events (WHATWG HTML, 9.2.6) as far as agents write them: `event`, `id` and `data`, one line
 * each, LF alone. An event that is cut off is none. Each byte is looked at once. Throws SyntaxError for a line that is
 * longer than any of an agent's.
 */
export const createEventParser = () => {
  const decoder = new TextDecoder()
  let line: string[] = []
  let lineLength = 0
  let event = NO_EVENT

  const endLine = (): ServerSentEvent | undefined => {
    const text = line.join('')
    line = []
    lineLength = 0
    if (text === '') {
      const ended = event
      event = NO_EVENT
      return ended.name === '' ? undefined : ended
    }
    if (text.startsWith('event: ')) event = { ...event, name: text.slice(7) }
    if (text.startsWith('id: ')) event = { ...event, id: text.slice(4) }
    if (text.startsWith('data: ')) event = { ...event, data: text.slice(6) }
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
    if (start === text.length) return
    line.push(text.slice(start))
    lineLength += text.length - start
    if (lineLength > LONGEST_LINE) throw new SyntaxError('a line of the events is too long')
  }
}

const NO_EVENT: ServerSentEvent = { name: '', id: '', data: '' }

/** Characters: a job without output, whose command may be all escapes; a chunk has 64 KiB in base64. */
const LONGEST_LINE = 4 * 1024 ** 2
