import { notAnAgent } from './answer.ts'
import { createEventParser, type ServerSentEvent } from './event-parser.ts'
import { aborted, ClientError, failed, type Result, success } from './result.ts'
import { delayMs, isPassing, pause } from './retry.ts'
import { type Call, type Transport, unreachable } from './transport.ts'

export interface ConnectionOptions {
  signal?: AbortSignal | undefined
  /** Called with false when the connection breaks, and with true when there is one again. */
  onConnection?: ((isConnected: boolean) => void) | undefined
}

export interface EventStreamOptions<E> extends ConnectionOptions {
  path: string
  /** Called before each connection. */
  onConnecting?: () => void
  /** Asked for before each connection: where to go on. */
  query(): NonNullable<Call['query']>
  /** Undefined for one of a kind that is not known yet. Throws SyntaxError for what no agent sends. */
  eventOf(event: ServerSentEvent): E | undefined
  /** False for one that comes again: an agent that sends nothing else is as good as one that does not answer. */
  isProgress(event: E): boolean
}

/**
 * Events of the agent, over as many connections as it takes; whoever has enough leaves. Throws ClientError when the
 * agent refuses, or has not answered for `patienceMs`.
 */
export async function* receiveEvents<E>(
  transport: Transport,
  options: EventStreamOptions<E>,
): AsyncGenerator<E, never> {
  const { isProgress, signal, onConnection } = options
  // Patience counts from when the connection broke: nothing may happen, and a reader be slow, for as long as they like.
  let brokenAt: number | undefined
  let tries = 0
  const onAlive = () => {
    brokenAt = undefined
    tries = 0
  }
  let isConnected = true
  const tell = (isNow: boolean) => {
    if (isNow !== isConnected) onConnection?.(isNow)
    isConnected = isNow
  }
  while (true) {
    let error = new ClientError('unreachable', 'the connection has ended before its time')
    for await (const received of connection(transport, options, { onOpen: () => tell(true), onAlive })) {
      if (!received.ok) {
        error = received.error
        break
      }
      if (isProgress(received.value)) onAlive()
      yield received.value
    }
    if (signal?.aborted) throw aborted(signal)
    tell(false)
    brokenAt ??= performance.now()
    const delay = delayMs(tries++, error)
    if (!isPassing(error) || performance.now() - brokenAt + delay > transport.patienceMs) throw error
    await pause(delay, signal)
    if (signal?.aborted) throw aborted(signal)
  }
}

/** The events of one connection; its last is why it has ended, unless the agent has ended it. */
async function* connection<E>(
  transport: Transport,
  { path, onConnecting, query, eventOf, signal }: EventStreamOptions<E>,
  { onOpen, onAlive }: { onOpen(): void; onAlive(): void },
): AsyncGenerator<Result<E>> {
  const silent = new AbortController()
  onConnecting?.()
  const opened = await transport.open(path, {
    query: query(),
    headers: { Accept: 'text/event-stream' },
    signal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal,
  })
  if (!opened.ok) return yield opened
  const openedAt = performance.now()
  const { body, status } = opened.value
  if (!body) return yield failed(notAnAgent(status)) // 204, for example.
  const reader = body.getReader()
  const parse = createEventParser()
  let isOver = false
  try {
    onOpen()
    while (true) {
      const timer = setTimeout(() => silent.abort(`silent for ${SILENCE_MS / 1000} s`), SILENCE_MS)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      isOver = done
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
    // See readJson.
    if (!isOver) await reader.cancel().catch(() => {})
  }
}

const STEADY_MS = 1000
/** Agents write something every 15 s. */
const SILENCE_MS = 45_000
