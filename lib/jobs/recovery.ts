import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { stopAll } from '../process/stop.ts'
import type { Processes } from '../process/types.ts'
import type { JobStore } from '../store/job-store.ts'
import type { OutputStore, OutputTotals } from '../store/output-store.ts'
import type { Lifecycle } from './lifecycle.ts'
import { lostJob } from './outcome.ts'
import { removeScript } from './script-file.ts'

export interface RecoveryOptions {
  jobStore: Pick<JobStore, 'findRunning'>
  outputStore: Pick<OutputStore, 'totals'>
  lifecycle: Pick<Lifecycle, 'end'>
  processes: Processes
  clock: Clock
  log: Log
}

/**
 * Settles what an earlier life of this data directory left behind when it was killed: ends what still lives of
 * its jobs, removes their scripts, and ends them as lost. To be awaited before anything else runs.
 */
export const recover = async (options: RecoveryOptions): Promise<void> => {
  const { jobStore, outputStore, lifecycle, processes, clock, log } = options
  const lost = jobStore.findRunning()
  if (lost.length === 0) return
  const survivors = await stopAll(processes, { marks: new Set(lost.map(({ mark }) => mark)), pid: 0 }, 0)
  if (survivors.length > 0) {
    const shown = survivors.map(({ pid, command }) => ({ pid, command }))
    log.error({ survivors: shown }, 'processes of lost jobs survived SIGKILL')
  }
  const foundAt = clock.now()
  for (const { number, job } of lost) {
    if (job.state !== 'running') continue
    if (job.scriptPath !== '') await removeScript(job.scriptPath)
    lifecycle.end(number, lostJob(job, foundAt), totalsOf(outputStore, number, log))
  }
}

const totalsOf = (outputStore: RecoveryOptions['outputStore'], number: number, log: Log): OutputTotals => {
  try {
    return outputStore.totals(number)
  } catch (error) {
    log.error({ err: error }, 'the output of a lost job cannot be counted')
    return { stdoutBytes: 0, stderrBytes: 0, keptBytes: 0 }
  }
}
