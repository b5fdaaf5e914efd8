import { notAnAgent } from './answer.ts'
import { decodeBase64 } from './base64.ts'
import { createEventParser, type ServerSentEvent } from './event-parser.ts'
import { aborted, ClientError, failed, type Result, success } from './result.ts'
import { delayMs, isPassing, pause } from './retry.ts'
import { isChunk, isDropped, isJob } from './shapes.ts'
import { type Transport, unreachable } from './transport.ts'
import type { JobEvent } from './types.ts'

export interface EventsOptions {
  /** Begins after the chunk of this seq; 0, the default, is the beginning. */
  after?: number | undefined
  /** Begins with the last lines, counted over both streams. */
  tail?: number | undefined
  /** False: ends with `caught-up` when all that is kept now has come, unless the job has ended. */
  follow?: boolean | undefined
  signal?: AbortSignal | undefined
}

/**
 * The events of a job, from `start` to `end`; or to `caught-up`, when it runs and is not followed. After a broken connection it goes on behind the last chunk: no byte
 * comes twice, none is lost. Throws ClientError when the agent refuses, or has not answered for `patienceMs`.
 */
export async function* followEvents(
  transport: Transport,
  id: string,
  { after = 0, tail, follow, signal }: EventsOptions = {},
): AsyncGenerator<JobEvent, void> {
  let seq = after
  let hasStarted = after > 0
  // Patience counts from when the connection broke: a job may be silent, and a reader slow, for as long as they like.
  let brokenAt: number | undefined
  let tries = 0
  const onAlive = () => {
    brokenAt = undefined
    tries = 0
  }
  while (true) {
    // That bytes are missing is told again after a break, so it is passed on only with what comes behind it.
    let dropped: JobEvent | undefined
    let error = new ClientError('unreachable', 'the connection has ended before the job')
    const query = { after: seq, tail, follow } // `after` comes before `tail`.
    for await (const received of connection(transport, id, query, { signal, onAlive })) {
      if (!received.ok) {
        error = received.error
        break
      }
      const event = received.value
      if (event.type === 'dropped') dropped = event
      if (event.type === 'dropped' || (event.type === 'start' && hasStarted)) continue
      hasStarted = true
      if (dropped) yield dropped
      dropped = undefined
      // One that comes again is no progress, and must not be told twice.
      if ('seq' in event && event.seq <= seq) continue
      if ('seq' in event) {
        seq = event.seq
        onAlive()
      }
      yield event
      if (event.type === 'end' || event.type === 'caught-up') return
    }
    if (signal?.aborted) throw aborted(signal)
    brokenAt ??= performance.now()
    const delay = delayMs(tries++, error)
    if (!isPassing(error) || performance.now() - brokenAt + delay > transport.patienceMs) throw error
    await pause(delay, signal)
    if (signal?.aborted) throw aborted(signal)
  }
}

/** The events of one connection; its last is why it has ended, unless the agent has ended it. */
async function* connection(
  transport: Transport,
  id: string,
  query: Record<string, number | boolean | undefined>,
  { signal, onAlive }: { signal: AbortSignal | undefined; onAlive(): void },
): AsyncGenerator<Result<JobEvent>> {
  const silent = new AbortController()
  const opened = await transport.open(`/api/jobs/${encodeURIComponent(id)}/events`, {
    query: { ...query, encoding: 'base64', output: false },
    headers: { Accept: 'text/event-stream' },
    signal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal,
  })
  if (!opened.ok) return yield opened
  const openedAt = performance.now()
  const { body, status } = opened.value
  if (!body) return yield failed(notAnAgent(status)) // 204, for example.
  const reader = body.getReader()
  const parse = createEventParser()
  try {
    while (true) {
      const timer = setTimeout(() => silent.abort(`silent for ${SILENCE_MS / 1000} s`), SILENCE_MS)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      // One that is closed as soon as it is open must not be asked for again and again, without end.
      if (performance.now() - openedAt > STEADY_MS) onAlive()
      for (const event of parse(value)) {
        const known = eventOf(event)
        if (known) yield success(known)
      }
    }
  } catch (error) {
    if (error instanceof SyntaxError) return yield failed(notAnAgent(status))
    yield failed(unreachable(transport.url, silent.signal.reason ?? error))
  } finally {
    await reader.cancel().catch(() => {})
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

const STEADY_MS = 1000
/** Agents write something every 15 s. */
const SILENCE_MS = 45_000
