import type { Clock } from './clock.ts'
import { NOTHING_RAN } from './job.ts'
import type { JobStore } from './job-store.ts'
import type { Log } from './log.ts'
import type { OutputStore } from './output-store.ts'
import type { Processes } from './process/spawn.ts'
import { stopAll } from './process/stop.ts'
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
 * its jobs, removes their scripts, and records them as lost. Before anything else is allowed to run.
 */
export const recover = async ({
  jobStore,
  outputStore,
  processes,
  clock,
  log,
}: RecoveryOptions): Promise<void> => {
  const lost = jobStore.findRunning()
  if (lost.length === 0) return
  const survivors = await stopAll(processes, { marks: new Set(lost.map(({ mark }) => mark)), pid: 0 }, 0)
  if (survivors.length > 0)
    log.error(
      { survivors: survivors.map(({ pid, command }) => ({ pid, command })) },
      'processes of lost jobs survived SIGKILL',
    )
  for (const { number, job } of lost) {
    if (job.state !== 'running') continue
    if (job.scriptPath !== '') await removeScript(job.scriptPath)
    const end = {
      state: 'failed',
      finishTime: clock.now(),
      exitCode: 0,
      signal: '',
      error: 'agent was lost',
      reason: 'agent-lost',
      ...NOTHING_RAN,
    } as const
    jobStore.finish(
      number,
      { ...job, startTime: job.startTime ?? job.createTime, ...end },
      outputStore.totals(number),
    )
    log.warn({ jobId: job.id, jobPid: job.pid }, 'the agent was lost while this job was running')
  }
}
