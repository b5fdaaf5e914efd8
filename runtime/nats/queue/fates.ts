import type { Log } from '../../../lib/base/log.ts'
import { isFinal, type QueuedJob } from '../../../lib/fleet/queue/queued-job.ts'
import type { DeadLetter } from './dead-letters.ts'
import { type Delivery, positionOf } from './delivery.ts'
import type { LiveRun } from './live-run.ts'
import type { Taken } from './taken.ts'

export interface FatesOptions {
  deadLetter: DeadLetter
  /** This agent is at it no more. */
  end(run: LiveRun): void
  count(what: Taken): void
  log: Log
}

/** What becomes of messages. */
export const createFates = ({ deadLetter, end, count, log }: FatesOptions) => {
  const bury = async (run: LiveRun, job: QueuedJob): Promise<void> => {
    if (job.state !== 'dead') return
    await deadLetter(run.delivery(), run.id, [job.reason, job.word].filter(word => word !== '').join(' '))
    log.warn(
      { queueId: run.id, reason: job.reason, word: job.word, runs: job.runs.length },
      'a queued job is dead',
    )
    count('dead')
  }

  /** Its record says what is to become of the message; where there is none it is kept. */
  const settle = async (run: LiveRun, job: QueuedJob | undefined, delayMs = 0): Promise<void> => {
    // What is said of a message twice may be of one that another agent has by then.
    if (run.isClosed()) return
    try {
      if (!job || !isFinal(job)) return run.delivery().giveBack(delayMs)
      await bury(run, job)
      run.delivery().acknowledge()
    } catch (err) {
      log.warn(
        { queueId: run.id, err },
        'what is to become of a queued job could not be told: its message comes again',
      )
      run.delivery().giveBack(againMs(run.delivery()))
    } finally {
      end(run)
    }
  }

  /** Nothing is to become of the message. */
  const drop = (run: LiveRun): void => {
    run.delivery().acknowledge()
    end(run)
  }

  /** What is none of ours is put where it can be looked at. */
  const putAside = async (delivery: Delivery, why: 'message-malformed' | 'id-used'): Promise<void> => {
    count('put-aside')
    try {
      await deadLetter(delivery, undefined, `refused ${why}`)
      delivery.acknowledge()
    } catch (err) {
      log.warn(
        { ...positionOf(delivery.message.reply), why, err },
        'a message could not be put aside: it comes again',
      )
      delivery.giveBack(againMs(delivery))
    }
  }

  return { settle, drop, putAside }
}

export type Fates = ReturnType<typeof createFates>

/** After an error, in milliseconds. */
export const AGAIN_MS = 2000

/** Less and less often: what has failed a few times may do so until the message is too old. */
const againMs = ({ count }: Delivery): number => AGAIN_MS * 2 ** Math.min(count - 1, 8)
