import { setTimeout } from 'node:timers/promises'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { Log } from '../../lib/base/log.ts'
import { within } from '../../lib/base/within.ts'
import { newToken } from '../../lib/fleet/inbox.ts'
import { nameSubjectOf } from './register.ts'

export interface RivalsOptions {
  connection: Pick<NatsConnection, 'publish' | 'subscribe'>
  name: string
  startedAt: number
  /** Called with whether this agent is the one of that name, when that becomes known, or changes. */
  onDecided(isOurs: boolean): void
  log: Log
  /** Milliseconds between two looks of the one that has the name, and about as many between those of others. */
  everyMs?: number
  retryMs?: number
  /** How long others may take to answer. */
  waitMs?: number
  /** How long the engine may take to send back what was published. */
  echoMs?: number
}

/**
 * Finds out whether another agent has the same name. Agents of a name tell each other so on one subject, on which only
 * they may publish where the engine knows who may what. The one that came first has the name; the other one says so
 * loudly, and serves nothing until it is gone. While nothing is decided nothing is served: an agent that does not even
 * hear itself there would not hear another. Many of one name cost little: only who has it, or is about to have it,
 * answers, and what one is told all hear, so that the others need not ask.
 */
export const watchRivals = (options: RivalsOptions) => {
  const { connection, name, startedAt, onDecided, log } = options
  const { everyMs = EVERY_MS, retryMs = RETRY_MS, waitMs = WAIT_MS, echoMs = ECHO_MS } = options
  const id = newToken()
  const subject = nameSubjectOf(name)
  const closing = new AbortController()
  let isOurs: boolean | undefined
  let isAway = false
  let isLooking = false
  let isUnheardToldOf = false
  /** As it was decided last, which a lost connection does not change. */
  let wasRefused = false
  /** Whether it need not ask next, because another has the name, or shall have the time to take it again. */
  let isTold = false
  let wake = new AbortController()
  /** Of the latest look: another that comes before this agent, and whether the engine has sent back what it has told. */
  let first: Claim | undefined
  let echo = Promise.withResolvers<true>()

  const own = (): Claim => ({ id, startedAt, serving: isOurs === true })

  const tell = (isAsking: boolean): void =>
    connection.publish(subject, JSON.stringify({ ...own(), asks: isAsking }))

  const hear = ({ data }: Msg): void => {
    const claim = claimOf(data)
    if (claim?.id === id) echo.resolve(true)
    else if (claim) meet(claim)
  }

  const meet = (other: Claim): void => {
    if (isBefore(other, own())) {
      first = other
      if (other.serving) isTold = true
      if (!isOurs) return
      // However late it comes, both must not serve.
      decide(false)
      wake.abort()
    } else if (isOurs ? other.asks || other.serving : other.asks && isLooking && !first) tell(false)
  }

  const decide = (isNow: boolean): void => {
    if (isNow === isOurs) return
    if (!isNow)
      log.error(
        { name, other: first?.id },
        'ANOTHER AGENT HAS THIS NAME: this one does not serve the fleet until it is gone',
      )
    else if (wasRefused) log.info({ name }, 'the other agent of this name is gone')
    isOurs = isNow
    wasRefused = !isNow
    onDecided(isNow)
  }

  const look = async (signal: AbortSignal): Promise<void> => {
    first = undefined
    const heard = Promise.withResolvers<true>()
    echo = heard
    signal.addEventListener('abort', () => heard.resolve(true), { once: true })
    tell(true)
    const isHeard = await within(heard.promise, echoMs)
    if (signal.aborted) return
    if (!isHeard) {
      if (isUnheardToldOf || isOurs) return
      isUnheardToldOf = true
      log.error(
        { subject },
        'THE AGENT DOES NOT SERVE THE FLEET: what it publishes on the subject of its name does not come back',
      )
      return
    }
    isUnheardToldOf = false
    await setTimeout(waitMs, undefined, { signal, ref: false })
    decide(first === undefined)
  }

  const run = async (): Promise<void> => {
    let subscription = subscribe()
    while (!closing.signal.aborted) {
      // What is wanted from now on must not be lost in a look that has begun before.
      wake = new AbortController()
      const signal = AbortSignal.any([closing.signal, wake.signal])
      if (subscription.isClosed()) subscription = subscribe()
      isLooking = !isAway && !isTold
      if (isLooking) await look(signal).catch(() => {}) // It is looked again, or the connection is closed.
      isLooking = false
      if (!signal.aborted) isTold = false
      const pauseMs = isOurs ? everyMs : retryMs * (0.8 + 0.4 * Math.random())
      await setTimeout(pauseMs, undefined, { signal, ref: false }).catch(() => {})
    }
    subscription.unsubscribe()
  }

  /** The library ends it when the engine refuses it. */
  const subscribe = () =>
    connection.subscribe(subject, { callback: (error, message) => (error ? undefined : hear(message)) })

  void run().catch(() => {}) // The connection is closed.

  return {
    /** Until it is back, others may take the name. */
    disconnected(): void {
      isAway = true
      isOurs = undefined
      wake.abort()
    },
    reconnected(): void {
      isAway = false
      // The one that had the name gets it again, although it may come back a little later.
      isTold = wasRefused
      wake.abort()
    },
    close: (): void => closing.abort(),
  }
}

interface Claim {
  id: string
  startedAt: number
  /** Whether it has the name so far. */
  serving: boolean
  /** Whether others are to say theirs. */
  asks?: boolean
}

/** Undefined for what no agent says. */
const claimOf = (data: Uint8Array): Claim | undefined => {
  try {
    const { id, startedAt, serving, asks } = JSON.parse(new TextDecoder().decode(data.subarray(0, 1000)))
    return typeof id === 'string' && Number.isFinite(startedAt)
      ? { id: id.slice(0, 64), startedAt, serving: serving === true, asks: asks === true }
      : undefined
  } catch {
    return undefined
  }
}

/** Clocks of hosts differ, so they decide only between those of which both serve, or neither does. */
const isBefore = (one: Claim, other: Claim): boolean => {
  if (one.serving !== other.serving) return one.serving
  return one.startedAt < other.startedAt || (one.startedAt === other.startedAt && one.id < other.id)
}

const EVERY_MS = 60_000
const RETRY_MS = 5000
/** An agent that is far away answers late. */
const WAIT_MS = 2000
const ECHO_MS = 5000
