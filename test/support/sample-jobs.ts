import { v7 as uuidv7 } from 'uuid'
import { type EndedJob, NO_LABELS, NO_LIMITS, type RunningJob } from '../../lib/jobs/job.ts'
import { NO_USAGE } from '../../lib/process/types.ts'

/** In microseconds, a time that no test depends on. */
export const SOME_TIME = 1_671_170_774_123_456

export const runningJob = (given: Partial<RunningJob> = {}): RunningJob => ({
  id: uuidv7().replaceAll('-', ''),
  cmd: 'true',
  params: '',
  scriptName: '',
  scriptType: '',
  scriptPath: '',
  async: false,
  encoding: 'utf-8',
  createTime: SOME_TIME,
  caller: 'alice',
  client: '192.0.2.9',
  labels: NO_LABELS,
  user: '',
  limits: NO_LIMITS,
  notify: null,
  queue: null,
  state: 'running',
  pid: 0,
  startTime: undefined,
  ...given,
})

export const endOf = (job: RunningJob, given: Partial<EndedJob> = {}): EndedJob => ({
  ...job,
  state: 'success',
  pid: 4321,
  startTime: job.createTime + 5,
  finishTime: job.createTime + 1_000_010,
  exitCode: 0,
  signal: '',
  error: '',
  reason: 'exited',
  cpu: { user: 0.25, system: 0.125 },
  usage: { ...NO_USAGE, cpu: 0.375 },
  leftovers: 0,
  survivors: [],
  ...given,
})

/** For a job that wrote nothing. */
export const NO_OUTPUT = { stdoutBytes: 0, stderrBytes: 0, keptBytes: 0 }
