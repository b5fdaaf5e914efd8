import { type NatsConnection, PermissionViolationError } from '@nats-io/nats-core'
import { countDown } from '../../lib/base/count-down.ts'
import type { Log } from '../../lib/base/log.ts'
import { within } from '../../lib/base/within.ts'
import type { JobEvents } from '../../lib/jobs/events.ts'
import { createAnswers } from './answers.ts'
import { keepConnected, type Session } from './connect.ts'
import { createInbox } from './inbox.ts'
import type { FleetWork } from './queue/fleet-work.ts'
import { register } from './register.ts'
import { watchRivals } from './rivals.ts'
import { createMessageServer, type ServeOptions } from './serve.ts'
import type { FleetConfig } from './settings.ts'
import { createSubscriptions } from './subscriptions.ts'

export interface JoinOptions {
  fleet: FleetConfig
  version: string
  fetch: ServeOptions['fetch']
  jobs: { countRunning(): number; isDraining(): boolean; isClosing(): boolean }
  /** How many jobs may run at a time. */
  limit: number
  events: Pick<JobEvents, 'subscribe'>
  /** What it does for the fleet by itself. */
  work: Pick<FleetWork, 'open' | 'wake' | 'close'>
  metrics: ServeOptions['metrics']
  log: Log
}

/**
 * Has the agent asked over the engine of a fleet, from when it is connected; it need not be there yet. Rejects with
 * StartupError.
 */
export const createFleetMember = async ({
  fleet,
  version,
  fetch,
  jobs,
  limit,
  events,
  work,
  metrics,
  log,
}: JoinOptions) => {
  const { name, labels, engine } = fleet
  const startedAt = Date.now()
  let current: ReturnType<typeof openSession> | undefined
  let isClosing = false

  const isFree = (): boolean =>
    !isClosing && !jobs.isDraining() && !jobs.isClosing() && jobs.countRunning() < limit

  const update = (): void => {
    current?.free(isFree())
    work.wake()
  }

  const openSession = (connection: NatsConnection) => {
    const inbox = createInbox(connection, engine.inbox, () => {
      log.error(
        { inbox: engine.inbox },
        'THE AGENT DOES NOT SERVE THE FLEET: the engine does not let it receive on AGENT_NATS_INBOX',
      )
      isReachable = false
      decide()
    })
    const answers = createAnswers({ connection, inbox, host: name })
    const serve = createMessageServer({ fetch, answers, inbox, metrics, log })
    const subscriptions = createSubscriptions({ connection, host: name, labels, serve, log })
    const ownWork = work.open(connection)
    let isOurs = false
    let isReachable = true
    let serving = false
    let isOver = false
    let refusedAt = Number.NEGATIVE_INFINITY
    const state = () => ({
      running: jobs.countRunning(),
      limit,
      draining: jobs.isDraining() || jobs.isClosing(),
      serving,
    })
    const decide = (): void => {
      const isNow = isOurs && isReachable && !isOver
      if (isNow === serving) return
      serving = isNow
      subscriptions.free(isFree())
      subscriptions.serve(serving)
      ownWork.serve(serving)
      if (serving) void tellServing().catch(() => {}) // The connection has broken.
    }
    /** Once the engine knows: whoever reads it may ask. */
    const tellServing = async (): Promise<void> => {
      await connection.flush()
      if (serving) log.info({ name }, 'serving the fleet')
    }
    const onDecided = (isNow: boolean): void => {
      isOurs = isNow
      decide()
    }
    const rivals = watchRivals({ connection, name, startedAt, onDecided, log })
    const registered = register({ connection, name, labels, version, state, log })
    return {
      free: subscriptions.free,
      disconnected(): void {
        answers.breakOff()
        ownWork.disconnected()
        // Another agent may have the name when the connection is back.
        rivals.disconnected()
        onDecided(false)
      },
      reconnected(): void {
        answers.tellBroken()
        isReachable = true
        inbox.update()
        ownWork.reconnected()
        rivals.reconnected()
      },
      refused(error: Error): void {
        if (error instanceof PermissionViolationError && error.operation === 'publish')
          ownWork.forbidden(error.subject)
        if (performance.now() - refusedAt < NEWS_MS) return
        refusedAt = performance.now()
        log.warn({ error: error.message }, 'the engine has refused something')
      },
      /** Others are asked from now on; whoever waits for an answer gets it, if it comes in time. */
      async close(ms: number): Promise<boolean> {
        const left = countDown(ms)
        isOver = true
        rivals.close()
        serving = false
        const unfound = registered.then(service => service?.stop()).catch(() => {})
        const known = Promise.all([subscriptions.close(), unfound]).then(() => true)
        const isKnown = (await within(known, Math.min(ENGINE_MS, left()))) === true
        // No answer gets to anybody where the engine is silent.
        if (isKnown) await within(answers.over(), Math.min(LAST_ANSWERS_MS, left()))
        ownWork.close()
        answers.close()
        inbox.close()
        return isKnown
      },
    } satisfies Session & { free(isFree: boolean): void }
  }

  const connection = await keepConnected({
    engine,
    name,
    log,
    open(one) {
      current = openSession(one)
      return current
    },
  })
  // The slot of a job that ends is free a moment after that is told.
  const unsubscribe = events.subscribe(() => void setImmediate(update))
  const looks = setInterval(update, LOOK_MS)
  looks.unref()
  let closed: Promise<void> | undefined

  const close = async (ms: number): Promise<void> => {
    const left = countDown(ms)
    isClosing = true
    unsubscribe()
    clearInterval(looks)
    await work.close(Math.max(0, left() - ENGINE_MS))
    await connection.close(left())
  }

  return {
    state: () => ({
      name,
      labels: Object.fromEntries(labels.map(label => [label.name, label.value])),
      state: connection.isConnected() ? ('connected' as const) : ('disconnected' as const),
      queue: fleet.takesQueue ? ('on' as const) : ('off' as const),
    }),
    isConnected: connection.isConnected,
    /** For a drain, and for a stop that begins: others get what is for one of many. */
    update,
    /** To be called when all jobs have ended; the fleet has so long to take note. Calling it again waits for the same. */
    close(ms = ENGINE_MS): Promise<void> {
      closed ??= close(ms)
      return closed
    },
  }
}

export type FleetMember = Awaited<ReturnType<typeof createFleetMember>>

/** Others can have the engine refuse as much as they like, by where they want to be answered. */
const NEWS_MS = 10_000
/** What sees a drain that nobody has told of. */
const LOOK_MS = 1000
/** How long the engine may take to say that it has what a stop tells it. */
const ENGINE_MS = 700
/** How long answers that are being sent may take when everything has been stopped. */
const LAST_ANSWERS_MS = 1000
