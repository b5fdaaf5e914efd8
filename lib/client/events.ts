import { decodeBase64 } from './base64.ts'
import type { ServerSentEvent } from './event-parser.ts'
import { type ConnectionOptions, receiveEvents } from './event-stream.ts'
import { isChunk, isDropped, isJob } from './shapes.ts'
import type { Transport } from './transport.ts'
import type { JobEvent } from './types.ts'

export interface EventsOptions extends ConnectionOptions {
  /** Begins after the chunk of this seq; 0, the default, is the beginning. */
  after?: number | undefined
  /** Begins with the last lines, counted over both streams. */
  tail?: number | undefined
  /** False: ends with `caught-up` when all that is kept now has come, unless the job has ended. */
  follow?: boolean | undefined
}

/**
 * The events of a job, from `start` to `end`; or to `caught-up`, when it runs and is not followed. After a broken
 * connection it goes on behind the last chunk: no byte comes twice, none is lost. Throws ClientError when the agent
 * refuses, or has not answered for `patienceMs`.
 */
export async function* followEvents(
  transport: Transport,
  id: string,
  { after = 0, tail, follow, signal, onConnection }: EventsOptions = {},
): AsyncGenerator<JobEvent, void> {
  let seq = after
  let hasStarted = after > 0
  // That bytes are missing is told again after a break, so it is passed on only with what comes behind it.
  let dropped: JobEvent | undefined
  const received = receiveEvents(transport, {
    path: `/api/jobs/${encodeURIComponent(id)}/events`,
    onConnecting() {
      dropped = undefined
    },
    query: () => ({ after: seq, tail, follow, encoding: 'base64', output: false }), // `after` comes before `tail`.
    eventOf,
    isProgress: event => 'seq' in event && event.seq > seq,
    signal,
    onConnection,
  })
  for await (const event of received) {
    if (event.type === 'dropped') dropped = event
    if (event.type === 'dropped' || (event.type === 'start' && hasStarted)) continue
    hasStarted = true
    if (dropped) yield dropped
    dropped = undefined
    if ('seq' in event && event.seq <= seq) continue // It must not be told twice.
    if ('seq' in event) seq = event.seq
    yield event
    if (event.type === 'end' || event.type === 'caught-up') return
  }
}

/** Undefined for one of a kind that is not known yet. Throws SyntaxError for what no agent sends. */
const eventOf = ({ name, data }: ServerSentEvent): JobEvent | undefined => {
  if (!KINDS.has(name)) return undefined
  const value: unknown = JSON.parse(data)
  if ((name === 'start' || name === 'end' || name === 'caught-up') && isJob(value))
    return { type: name, job: value }
  if (name === 'dropped' && isDropped(value)) return { type: name, bytes: value.bytes }
  if ((name === 'stdout' || name === 'stderr') && isChunk(value)) {
    const { seq, time, position, base64 } = value
    return { type: name, seq, time, position, bytes: bytesOf(base64) }
  }
  throw new SyntaxError(`the event ${name} is not that of an agent`)
}

const KINDS = new Set<string>([
  'start',
  'stdout',
  'stderr',
  'dropped',
  'end',
  'caught-up',
] satisfies JobEvent['type'][])

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => {
  try {
    return decodeBase64(base64)
  } catch (error) {
    throw new SyntaxError('a chunk is not in base64', { cause: error })
  }
}
