import type { Log } from '../base/log.ts'
import { within } from '../base/within.ts'
import { stopAll } from '../process/stop.ts'
import type { Processes, StartedProcess, Target } from '../process/types.ts'
import type { Survivor } from './job.ts'

export interface StoppingOptions {
  jobId: string
  target: Target
  processes: Processes
  log: Log
}

/** Stops the processes of one running job, as often as it is asked to: a shorter grace period takes effect at once. */
export const createStopping = ({ jobId, target, processes, log }: StoppingOptions) => {
  let attempts: Promise<unknown> = Promise.resolve()
  let begun = false
  let survivors: Survivor[] = []
  const givenUp = Promise.withResolvers<undefined>()

  return {
    hasBegun: (): boolean => begun,

    /** `graceMs` is the time between TERM and KILL. */
    stop({ exited }: StartedProcess, graceMs: number): void {
      begun = true
      const attempt = stopAll(processes, target, graceMs).then(
        found => {
          survivors = found.map(({ pid, command }) => ({ pid, command }))
          if (found.length > 0) log.error({ jobId, survivors }, 'processes survived SIGKILL')
        },
        error => log.error({ jobId, err: error }, 'stopping a job failed'),
      )
      attempts = Promise.all([attempts, attempt])
      void attempts.then(() => within(exited, EXIT_MS)).then(() => givenUp.resolve(undefined))
    },

    /** Resolves when every attempt is over, at once when there was none. */
    settled: (): Promise<unknown> => attempts,

    /** Resolves when the job's own process has survived even SIGKILL (uninterruptible sleep). */
    givenUp: givenUp.promise,

    /** What lived on although it was killed. */
    survivors: (): Survivor[] => survivors,
  }
}

/** How long after the last KILL the end of the job's own process is waited for. */
const EXIT_MS = 500
