import type { Micros } from '../../base/timestamp.ts'
import type { EndedJob, EndReason, JobState, ScriptType } from '../../jobs/job.ts'
import type { StoredJob } from '../job-store.ts'

/** What is read of a job, as an array: as an object each row would cost twice as much. */
export const JOB_COLUMNS = `
  number, mark, id, state, pid, async, encoding, create_time, start_time, finish_time, exit_code, signal, error,
  reason, stdout_bytes, stderr_bytes, kept_bytes, cpu_user, cpu_system, leftovers, survivors,
  script_name, script_type, script_path, cmd, params`

/** In the order of JOB_COLUMNS. */
export type JobRow = [
  number: number,
  mark: number,
  id: string,
  state: JobState,
  pid: number,
  async: number,
  encoding: string,
  createTime: Micros,
  startTime: Micros | null,
  finishTime: Micros | null,
  exitCode: number,
  signal: string,
  error: string,
  reason: EndReason,
  stdoutBytes: number,
  stderrBytes: number,
  keptBytes: number,
  cpuUser: number,
  cpuSystem: number,
  leftovers: number,
  survivors: string,
  scriptName: string,
  scriptType: ScriptType | '',
  scriptPath: string,
  cmd: string,
  params: string,
]

export const fromRow = ([
  number,
  mark,
  id,
  state,
  pid,
  async,
  encoding,
  createTime,
  startTime,
  finishTime,
  exitCode,
  signal,
  error,
  reason,
  stdoutBytes,
  stderrBytes,
  keptBytes,
  cpuUser,
  cpuSystem,
  leftovers,
  survivors,
  scriptName,
  scriptType,
  scriptPath,
  cmd,
  params,
]: JobRow): StoredJob => {
  const script = { scriptName, scriptType, scriptPath }
  const facts = { id, cmd, params, ...script, async: async === 1, encoding, createTime }
  const totals = { stdoutBytes, stderrBytes, keptBytes }
  if (state === 'rejected') return { number, mark, totals, job: { ...facts, state, error } }
  if (state === 'running') {
    return { number, mark, totals, job: { ...facts, state, pid, startTime: startTime ?? undefined } }
  }
  const job: EndedJob = {
    ...facts,
    state,
    pid,
    startTime: startTime ?? createTime,
    finishTime: finishTime ?? createTime,
    exitCode,
    signal,
    error,
    reason,
    cpu: { user: cpuUser, system: cpuSystem },
    leftovers,
    survivors: survivors === '[]' ? [] : JSON.parse(survivors),
  }
  return { number, mark, totals, job }
}
