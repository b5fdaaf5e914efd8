import { pause } from '../../../lib/client/retry.ts'
import { isNewestRun } from '../../../lib/fleet/queue/changes.ts'
import { isFinalError } from '../../../lib/fleet/queue/queue-error.ts'
import type { QueuedJob } from '../../../lib/fleet/queue/queued-job.ts'
import type { QueueRecords } from '../../../lib/fleet/queue/records.ts'
import { AGAIN_MS } from './fates.ts'
import type { LiveRun } from './live-run.ts'

/** A run of this agent that is recorded, and not begun yet. */
export interface Claim {
  /** Whether it is still the one to begin: this agent may have been stopped since. */
  isOurs(): Promise<boolean>
}

/** Has runs recorded before they begin. */
export const createClaims = (host: string, records: Pick<QueueRecords, 'get' | 'set'>) => {
  /**
   * Where the answer was lost, this agent stays at it until it knows: of a claim that nobody stands up for it would be
   * said that the run was lost.
   */
  const isRecorded = async (run: LiveRun, job: QueuedJob, revision: number): Promise<boolean> => {
    const number = job.runs.length
    try {
      return (await records.set(job, revision)) !== undefined
    } catch (error) {
      // The engine has said that it was not taken.
      if (isFinalError(error) || (error as Error).name === 'JetStreamNotEnabled') throw error
      run.number = number
      for (let looks = 0; looks < MOST_LOOKS && !run.isClosed(); looks++) {
        await pause(AGAIN_MS, undefined)
        const answer = await records.get(run.id).catch(failed => {
          if (isFinalError(failed)) throw error
          return undefined
        })
        if (!answer) continue
        const found = answer.job
        // There is no record at all: the bucket may have been deleted.
        if (!found) throw error
        const isThere =
          isNewestRun(found, host, number) &&
          found.runs[number - 1]!.startedAt === job.runs[number - 1]!.startedAt
        if (!isThere) run.number = 0
        return isThere
      }
      throw error
    }
  }

  return {
    /** The newest run of `job`; undefined where somebody else has changed the record meanwhile. */
    async claim(run: LiveRun, job: QueuedJob, revision: number): Promise<Claim | undefined> {
      let sure = since()
      if (!(await isRecorded(run, job, revision))) return undefined
      return {
        async isOurs(): Promise<boolean> {
          while (sure.elapsedMs() > run.delivery().from.ackWaitMs / 2) {
            sure = since()
            const { job: found } = await records.get(run.id)
            if (!found || !isNewestRun(found, host, job.runs.length)) return false
          }
          return true
        },
      }
    },
  }
}

/** One of these clocks goes on while the host sleeps, and the other when it is set. */
const since = () => {
  const [wall, steady] = [Date.now(), performance.now()]
  return { elapsedMs: (): number => Math.max(Date.now() - wall, performance.now() - steady) }
}

/** A minute at least, and three where each look times out. */
const MOST_LOOKS = 30
