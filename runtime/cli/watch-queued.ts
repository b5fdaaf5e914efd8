import { within } from '../../lib/base/within.ts'
import { ClientError } from '../../lib/client/client.ts'
import { pause } from '../../lib/client/retry.ts'
import { isFinal, type QueuedJob, type QueuedRun } from '../../lib/fleet/queue/queued-job.ts'
import { askHost, type FoundJob, unwrap } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { failureLine } from './failure.ts'
import type { OpenFleet } from './open-fleet.ts'
import { byNow } from './queued-end.ts'

export interface WatchQueuedOptions {
  signal: AbortSignal
  /** Shows one run until it ends, or until it is told to stop. */
  show(found: FoundJob, signal: AbortSignal): Promise<unknown>
}

/** The run that is shown. */
interface Shown {
  number: number
  stop: AbortController
  isOver: boolean
  ended: Promise<void>
}

/**
 * Shows each run of a queued job, wherever it is, until the job is final, or its time is over; says where it runs, and when it runs again.
 * Rejects with ClientError.
 */
export const watchQueued = async (
  cli: Cli,
  open: OpenFleet,
  id: string,
  { signal, show }: WatchQueuedOptions,
): Promise<QueuedJob> => {
  const { queue } = open.fleet()
  let shown: Shown | undefined
  let isToldToWait = false
  for (let looks = 0; ; looks++) {
    const job = byNow(unwrap(await queue.show(id)))
    const number = job.runs.length
    const run = job.runs.at(-1)
    if (run?.job && number !== shown?.number) {
      shown?.stop.abort()
      await shown?.ended
      await tell(cli, runLine(job, run, number))
      const stop = new AbortController()
      const now: Shown = { number, stop, isOver: false, ended: Promise.resolve() }
      now.ended = showRun(cli, open, run, AbortSignal.any([signal, stop.signal]), show).finally(() => {
        now.isOver = true
      })
      now.ended.catch(() => {}) // It is told when it is waited for, which may be a little later.
      shown = now
      isToldToWait = true
      looks = 0
    }
    if (isFinal(job)) {
      // Its last words come within a moment, unless its agent is away.
      if (shown) await within(shown.ended, LAST_WORDS_MS)
      shown?.stop.abort()
      await shown?.ended
      return job
    }
    if (job.state === 'waiting' && !isToldToWait)
      await tell(cli, `${id} waits for a free slot on ${job.label}`)
    if (job.state === 'waiting') isToldToWait = true
    if (shown?.isOver === false) {
      await within(shown.ended, pauseMs(looks))
      // Its end is recorded a moment after it is shown.
      if (shown.isOver) looks = 0
    } else await pause(pauseMs(looks), signal)
    if (signal.aborted) {
      await shown?.ended
      throw new ClientError('aborted', 'the caller has stopped it', { cause: signal.reason })
    }
  }
}

const showRun = async (
  cli: Cli,
  open: OpenFleet,
  { host, job }: QueuedRun,
  signal: AbortSignal,
  show: WatchQueuedOptions['show'],
): Promise<void> => {
  const agent = await askHost(open.host(host))
  try {
    await show({ agent, job: agent.patient.job(job!) }, signal)
  } catch (error) {
    // What becomes of the job then, its record says.
    if (!(error instanceof ClientError)) throw error
    if (error.word !== 'aborted') await tell(cli, `lost sight of it on ${host}: ${failureLine(error)}`)
  }
}

const runLine = ({ id, tries }: QueuedJob, { host, job }: QueuedRun, number: number): string => {
  const again = number > 1 ? ` again, try ${number} of ${tries}` : ''
  return `${id} runs${again} on ${host} as ${job}`
}

/** A job that waits for long may wait a little longer. */
const pauseMs = (looks: number): number => Math.min(2000, 250 * 1.3 ** looks)
const LAST_WORDS_MS = 5000
