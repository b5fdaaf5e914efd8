import { setTimeout } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/nats-core'
import type { JobService } from '../../../handlers/services.ts'
import { countDown } from '../../../lib/base/count-down.ts'
import type { Log } from '../../../lib/base/log.ts'
import { within } from '../../../lib/base/within.ts'
import { LONGEST_WAIT_MS } from '../../../lib/fleet/queue/queued-job.ts'
import type { JobEvents } from '../../../lib/jobs/events.ts'
import type { Delivery } from '../../../lib/notify/delivery.ts'
import type { ServeOptions } from '../serve.ts'
import type { FleetConfig } from '../settings.ts'
import { ensureEvents } from './ensure-engine.ts'
import { createFleetSink } from './fleet-sink.ts'
import { runEndOf } from './run-end.ts'
import { createSubmit } from './submit.ts'
import type { Taken } from './taken.ts'
import { createQueueWorker } from './worker.ts'

export interface FleetWorkOptions {
  fleet: FleetConfig
  fetch: ServeOptions['fetch']
  jobs: Pick<JobService, 'listed' | 'open' | 'countRunning' | 'isDraining' | 'isClosing'>
  /** How many jobs may run at a time. */
  limit: number
  events: Pick<JobEvents, 'subscribe'>
  /** Where what is told of jobs is delivered from. */
  delivery: Pick<Delivery, 'add' | 'wake'>
  /** How much of that waits for the fleet. */
  countPending(): number
  /** A queued request must not become a job here once more; see Nonces. */
  useUp(keyId: string, id: string, expiresAt: number): boolean
  count(what: Taken): void
  log: Log
}

/** What an agent does for its fleet by itself: it takes jobs from the queue, and tells of every event. */
export const createFleetWork = (options: FleetWorkOptions) => {
  const { fleet, fetch, jobs, limit, events, delivery, countPending, useUp, count, log } = options
  const { name: host, labels, takesQueue, engine } = fleet
  let connected: NatsConnection | undefined
  let tellingAgain = 0

  const ended = async (jobId: string): Promise<void> => {
    const job = jobs.open(jobId)
    await job?.waitForEnd()
    job?.close()
  }

  const isLeaving = (): boolean => jobs.isDraining() || jobs.isClosing()
  const free = (): number => (isLeaving() ? 0 : limit - jobs.countRunning())

  const worker = createQueueWorker({
    host,
    labels: takesQueue ? labels : [],
    inboxPrefix: engine.inbox,
    free,
    isLeaving,
    submit: createSubmit(fetch, log),
    find: jobId => jobs.listed(jobId)?.job,
    ended,
    events,
    count,
    log,
  })

  // In the turn of its end: nothing has removed its record by then, by which it is known else.
  const unsubscribe = events.subscribe(({ kind, job }) => {
    if (kind === 'ended' && job.queue) {
      const { id, try: number } = job.queue
      useUp(job.caller, id, worker.expiryOf(id) ?? longest())
      // At once; the outbox does it where this fails, or is cut off.
      worker.recordEnd(id, number, job.id, runEndOf(job)).catch(() => {})
    }
    if (kind === 'ended' || kind === 'rejected') setImmediate(worker.wake)
  })

  const sink = createFleetSink({
    host,
    connection: () => (worker.hasTried() ? connected : undefined),
    isHeld: () => tellingAgain > 0,
    async recordEnd({ id, number, jobId, end, caller, isAgain }) {
      // Once more, for one that has ended with an agent that was killed.
      useUp(caller, id, longest())
      if (isAgain || !worker.isRecorded(jobId)) await worker.recordEnd(id, number, jobId, end)
    },
  })
  delivery.add('fleet', sink)

  /** Of one connection. */
  const open = (connection: NatsConnection) => {
    const queue = worker.open(connection, delivery.wake)
    const begin = async (): Promise<void> => {
      connected = connection
      await ensureEvents(connection).catch(error =>
        log.error(
          { error: error.message },
          'EVENTS OF JOBS CANNOT BE TOLD TO THE FLEET, for want of JetStream, of its storage or of a permission: they are kept, and tried again',
        ),
      )
      delivery.wake()
    }
    /** First: else an engine that was killed would have the end of a job before its beginning. */
    const tellAgain = async (): Promise<void> => {
      tellingAgain++
      await setTimeout(SETTLED_MS, undefined, { ref: false })
      await within(sink.tellAgain(), LONGEST_AGAIN_MS)
      tellingAgain--
      delivery.wake()
    }
    void begin()
    return {
      serve: queue.serve,
      forbidden: queue.forbidden,
      disconnected(): void {
        connected = undefined
        queue.disconnected()
      },
      reconnected(): void {
        void begin()
        queue.reconnected()
        void tellAgain()
      },
      close(): void {
        connected = undefined
        queue.close()
      },
    }
  }

  const told = async (): Promise<void> => {
    while (connected && countPending() > 0) await setTimeout(TELL_LOOK_MS)
  }

  return {
    open,
    wake: worker.wake,
    countLive: worker.countLive,
    /** To be called when all jobs have ended: waits a while until the fleet knows, at most `ms` milliseconds. */
    async close(ms: number): Promise<void> {
      const left = countDown(ms)
      unsubscribe()
      await worker.close(connected ? Math.min(LAST_ENDS_MS, left()) : 0)
      await within(told(), Math.min(LAST_EVENTS_MS, left()))
    },
  }
}

export type FleetWork = ReturnType<typeof createFleetWork>

const longest = (): number => Date.now() + LONGEST_WAIT_MS

/** How long the ends of the last jobs may take to be recorded, and their events to be told. */
const LAST_ENDS_MS = 3000
const LAST_EVENTS_MS = 1000
const TELL_LOOK_MS = 20
/** After a new connection. */
const SETTLED_MS = 1000
/** What is new may not wait for an engine that does not answer. */
const LONGEST_AGAIN_MS = 10_000
