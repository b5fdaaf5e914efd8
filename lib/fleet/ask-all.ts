import type { NatsConnection } from '@nats-io/nats-core'
import { type AnswerReader, createAnswerReader } from './answer-reader.ts'
import { createExchanges, type FleetRequest } from './exchanges.ts'
import { rightFor } from './fetch-by-nats.ts'
import { FleetError } from './fleet-error.ts'
import { type Address, isHostName, subjectOf } from './names.ts'
import { SILENCE_MS, WIRE } from './wire.ts'

/** What one of several agents answers, or why its answer has broken off before it began. */
export type AnswerOfHost = { host: string } & ({ response: Response } | { error: FleetError })

export interface AskAllOptions {
  /** What the subjects of answers begin with; `_INBOX` by default. */
  inbox?: string
  /** How long an agent may take to say that it has the request, in milliseconds; its answer may take longer. */
  waitMs?: number
  /** Once all of these have said so, others are not waited for. */
  expected?: Iterable<string> | undefined
  /** How long an agent that has said so may be silent. */
  silenceMs?: number
  /** How much of all answers may wait for whoever reads them. */
  mostBytes?: number
  signal?: AbortSignal | undefined
}

/**
 * Sends one request to all agents of an address, and gives their answers as they begin. The request is signed for the
 * address's authority. Throws FleetError when nobody is there, or the engine does not let this user send it.
 */
export async function* askAll(
  connection: NatsConnection,
  address: Address,
  request: FleetRequest,
  options: AskAllOptions = {},
): AsyncGenerator<AnswerOfHost, void> {
  const { inbox, waitMs = 2000, expected, silenceMs = SILENCE_MS, mostBytes = MOST_BYTES, signal } = options
  const exchanges = createExchanges(connection, inbox === undefined ? {} : { inbox })
  const missing = expected && new Set(expected)
  const since = performance.now()
  const found: AnswerOfHost[] = []
  const readers = new Map<string, AnswerReader>()
  /** Those of which nothing was given yet. */
  const beginning = new Set<AnswerReader>()
  let reading = 0
  let bytesLeft = mostBytes
  let isLeft = false
  let fault: FleetError | undefined
  let wake = (): void => {}

  const isOver = (): boolean => {
    if (fault || signal?.aborted) return true
    const isKnown = missing ? missing.size === 0 : false
    return beginning.size === 0 && (isKnown || performance.now() - since > waitMs)
  }

  /** The subscription is there for as long as somebody reads one of the answers. */
  const endWhenUnused = (): void => {
    if (!isLeft || reading > 0) return
    end()
    exchanges.close()
  }

  const memory = {
    take(bytes: number): boolean {
      if (bytes > bytesLeft) return false
      bytesLeft -= bytes
      return true
    },
    giveBack(bytes: number): void {
      bytesLeft += bytes
    },
  }

  const readerOf = (id: string, host: string): AnswerReader => {
    reading++
    const settle = (answer: AnswerOfHost): void => {
      beginning.delete(reader)
      found.push(answer)
      wake()
    }
    const reader = createAnswerReader({
      onHead: response => settle({ host, response }),
      onFailed: error => settle({ host, error }),
      onOver() {
        readers.delete(id)
        reading--
        endWhenUnused()
      },
      acknowledge: exchanges.acknowledge,
      now: () => performance.now(),
      memory,
    })
    beginning.add(reader)
    return reader
  }

  const subject = `${subjectOf(address)}.${rightFor(request.method, request.target.split('?')[0]!, 'run')}`
  /** One answer of each host: of two agents with one name only one serves. */
  const seen = new Set<string>()
  const end = exchanges.ask(subject, request, {
    message(kind, headers, message) {
      const [host, id] = [headers.get(WIRE.host), headers.get(WIRE.answer)]
      if (!isHostName(host)) return false
      if (!seen.has(host) && seen.size < MOST_ANSWERS && !isLeft) {
        seen.add(host)
        missing?.delete(host)
        readers.set(id, readerOf(id, host))
      }
      const reader = readers.get(id)
      if (reader) reader.take(kind, headers, message)
      else if (message.reply) exchanges.acknowledge(message.reply, true)
      return reader !== undefined
    },
    failed(error) {
      fault = error
      for (const reader of readers.values()) reader.fail(error)
      wake()
    },
    look() {
      for (const reader of readers.values())
        if (performance.now() - reader.heardAt() > silenceMs)
          reader.fail(new FleetError('lost', `it has been silent for ${silenceMs / 1000} s`))
      wake()
    },
  })
  const stop = (): void => {
    for (const reader of readers.values()) reader.fail(new FleetError('lost', 'the caller has stopped it'))
    wake()
  }
  signal?.addEventListener('abort', stop)
  const timer = setTimeout(() => wake(), waitMs + 1)
  try {
    while (true) {
      const next = found.shift()
      if (next) {
        yield next
        continue
      }
      if (isOver()) break
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    signal?.throwIfAborted()
    if (fault && seen.size === 0) throw fault
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    isLeft = true
    for (const reader of beginning) reader.fail(new FleetError('lost', 'nobody waits for it'))
    for (const answer of found) if ('response' in answer) await answer.response.body?.cancel()
    endWhenUnused()
  }
}

/** Whoever gets the request can make up hosts that answer it. */
const MOST_ANSWERS = 20_000
/** For what has come, and was not read yet. */
const MOST_BYTES = 256 << 20
