import { withDeadline } from './deadline.ts'

export interface ServerSentEvent {
  /** ": text" has no event. */
  event?: string
  id?: string
  comment?: string
  data: Record<string, unknown>
}

/** Reads a body event by event, by the rules of WHATWG HTML, 9.2; a line that they would pass over is an error. */
export const eventReader = (response: Response) => {
  const reader = response.body!.pipeThrough(new TextDecoderStream('utf-8', { fatal: true })).getReader()
  let text = ''
  return {
    /** Undefined at the end of the body. */
    async next(): Promise<ServerSentEvent | undefined> {
      while (!text.includes('\n\n')) {
        const { done, value } = await withDeadline(reader.read(), 'event')
        if (!done) text += value
        else if (text === '') return undefined
        else throw new Error(`cut off: ${text}`)
      }
      const end = text.indexOf('\n\n')
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      return parse(block)
    },
    cancel: () => withDeadline(reader.cancel(), 'cancel'),
  }
}

export const eventsOf = async (response: Response): Promise<ServerSentEvent[]> => {
  const reader = eventReader(response)
  const events: ServerSentEvent[] = []
  for (;;) {
    const event = await reader.next()
    if (!event) return events
    events.push(event)
  }
}

const parse = (block: string): ServerSentEvent => {
  const parsed: ServerSentEvent = { data: {} }
  for (const line of block.split('\n')) {
    const [, field, value] = /^(event|id|data|): (.*)$/.exec(line) ?? []
    if (field === undefined || value === undefined || line.includes('\r'))
      throw new Error(`not a field: ${line}`)
    if (field === 'data') parsed.data = JSON.parse(value)
    else parsed[field === '' ? 'comment' : (field as 'event' | 'id')] = value
  }
  return parsed
}
