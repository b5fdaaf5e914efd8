import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { eventSubjectOf } from '../../../lib/fleet/names.ts'
import { ENGINE_ANSWER_MS } from '../../../lib/fleet/queue/engine-names.ts'
import { isQueueId, type RunEnd } from '../../../lib/fleet/queue/queued-job.ts'
import type { Pause } from '../../../lib/notify/pauses.ts'
import type { DeliverySink } from '../../../lib/notify/sinks.ts'
import type { OutboxEntry } from '../../../lib/store/outbox-store.ts'
import { runEndAt } from './run-end.ts'

export interface FleetSinkOptions {
  host: string
  /** The one that there is now; undefined while there is none. */
  connection(): NatsConnection | undefined
  /** Whether something is to be told again before anything new is. */
  isHeld?(): boolean
  now?(): number
  /** Rejects when it could not be recorded. */
  recordEnd(ended: EndedRun): Promise<void>
}

export interface EndedRun {
  /** Of the queued job, and of its run. */
  id: string
  number: number
  jobId: string
  end: RunEnd
  caller: string
  /** It was recorded before. */
  isAgain: boolean
}

/**
 * Tells the fleet of every event, and records the ends of queued jobs. What the engine has not confirmed comes again;
 * it takes an event of the same name once. Nothing is given up while the engine is away.
 */
export const createFleetSink = ({
  host,
  connection,
  isHeld = () => false,
  recordEnd,
  now = Date.now,
}: FleetSinkOptions) => {
  /** What was told in the last moments. */
  let recent: { entry: OutboxEntry; at: number }[] = []

  const tell = async (
    { id, jobId, kind, payload }: OutboxEntry,
    current: NatsConnection,
    isAgain: boolean,
  ): Promise<void> => {
    const { queue, caller, ...job } = (JSON.parse(payload) as { data: EventJob }).data
    // First: others wait for it.
    if (kind === 'ended' && queue && isQueueId(queue.id))
      await recordEnd({
        id: queue.id,
        number: queue.try,
        jobId,
        end: runEndAt(job, new Date(job.finishTime)),
        caller,
        isAgain,
      })
    await jetstream(current).publish(eventSubjectOf(host, kind), payload, {
      msgID: id,
      timeout: ENGINE_ANSWER_MS,
    })
  }

  const remember = (entry: OutboxEntry): void => {
    const at = now()
    if (recent.length >= MOST_RECENT || (recent[0] && recent[0].at < at - 2 * RECENT_MS))
      recent = recent.filter(one => one.at >= at - RECENT_MS).slice(-MOST_RECENT / 2)
    recent.push({ entry, at })
  }

  const sink: DeliverySink = {
    async deliver(entry) {
      const current = connection()
      if (!current) return { error: 'the engine is away' }
      try {
        await tell(entry, current, false)
        remember(entry)
        return 'delivered'
      } catch (error) {
        return {
          error: 'the engine has not taken it',
          detail: error instanceof Error ? error.message : '',
        }
      }
    },
    isReady: () => connection() !== undefined && !isHeld(),
    atOnce: { all: AT_ONCE, origin: AT_ONCE },
    pause: fleetPause,
  }

  return {
    ...sink,

    /**
     * Tells once more what was told in the last moments before the connection broke: an engine that is killed may have
     * lost what it had confirmed. One that has not takes nothing twice.
     */
    async tellAgain(): Promise<void> {
      const since = now() - RECENT_MS
      for (const { entry, at } of [...recent]) {
        const current = connection()
        if (!current) return
        if (at >= since) await tell(entry, current, true).catch(() => {})
      }
    },
  }
}

/** Up to half a minute: whoever is away may be back at any time. */
export const fleetPause: Pause = (tries, random) =>
  Math.round(Math.min(LONGEST_PAUSE_MS, 250 * 2 ** Math.min(tries, 10)) * (0.5 + random / 2))

/** Of the job in an event. */
interface EventJob extends Omit<RunEnd, 'at'> {
  finishTime: string
  caller: string
  queue: { id: string; try: number } | null
}

const AT_ONCE = 64
const LONGEST_PAUSE_MS = 30_000
/** Longer than an engine keeps in its memory alone what it has confirmed, and than its restart takes. */
const RECENT_MS = 60_000
const MOST_RECENT = 4000
