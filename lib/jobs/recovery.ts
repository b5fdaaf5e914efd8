import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Micros } from '../base/timestamp.ts'
import { stopAll } from '../process/stop.ts'
import type { Processes } from '../process/types.ts'
import type { JobStore } from '../store/job-store.ts'
import type { OutputStore } from '../store/output-store.ts'
import { type EndedJob, NOTHING_RAN, type RunningJob } from './job.ts'
import { removeScript } from './script-file.ts'

export interface RecoveryOptions {
  jobStore: JobStore
  outputStore: OutputStore
  processes: Processes
  clock: Clock
  log: Log
}

/**
 * Settles what an earlier life of this data directory left behind when it was killed: ends what still lives of
 * its jobs, removes their scripts, and records them as lost. Before anything else is allowed to run. Resolves with
 * what cannot be recorded yet, for want of disk space: call it again until it is true that all are.
 */
export const recover = async (options: RecoveryOptions): Promise<() => boolean> => {
  const { jobStore, processes, log } = options
  const lost = jobStore.findRunning()
  if (lost.length === 0) return () => true
  const survivors = await stopAll(processes, { marks: new Set(lost.map(({ mark }) => mark)), pid: 0 }, 0)
  if (survivors.length > 0)
    log.error(
      { survivors: survivors.map(({ pid, command }) => ({ pid, command })) },
      'processes of lost jobs survived SIGKILL',
    )
  const foundAt = options.clock.now()
  for (const { job } of lost) {
    if (job.scriptPath !== '') await removeScript(job.scriptPath)
    log.warn({ jobId: job.id }, 'the agent was lost while this job was running')
  }
  const record = (): boolean => {
    while (lost.length > 0) {
      const { number, job } = lost.at(-1)!
      try {
        if (job.state === 'running')
          jobStore.finish(number, asLost(job, foundAt), options.outputStore.totals(number))
      } catch (err) {
        log.error({ err, jobs: lost.length }, 'lost jobs could not be recorded as lost; it is tried again')
        return false
      }
      lost.pop()
    }
    return true
  }
  record()
  return record
}

/** A job that ran when the agent was killed; when it ended, nobody saw. */
export const asLost = (job: RunningJob, foundAt: Micros): EndedJob => ({
  ...job,
  state: 'failed',
  startTime: job.startTime ?? job.createTime,
  finishTime: foundAt,
  exitCode: 0,
  signal: '',
  error: 'agent was lost',
  reason: 'agent-lost',
  ...NOTHING_RAN,
})
