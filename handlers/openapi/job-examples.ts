import type { JobJson } from '../jobs/job-json.ts'
import type { JobInList } from '../jobs/list-jobs.ts'

export const JOB_EXAMPLE: JobJson = {
  id: '01a202f8d35773718c4e1646bc5c61d9',
  cmd: 'echo hello; echo oops >&2; exit 3',
  params: '',
  scriptName: '',
  scriptContent: '',
  scriptType: '',
  scriptPath: '',
  async: false,
  pid: 13844,
  state: 'failed',
  stdout: 'hello\n',
  stderr: 'oops\n',
  exitCode: 3,
  execCmd: 'echo hello; echo oops >&2; exit 3',
  error: 'exit status 3',
  createTime: '2026-11-22T11:16:31.192778Z',
  startTime: '2026-11-22T11:16:31.195054Z',
  finishTime: '2026-11-22T11:16:31.198045Z',
  reason: 'exited',
  signal: '',
  stdoutBytes: 6,
  stderrBytes: 5,
  droppedBytes: 0,
  encoding: 'utf-8',
  cpu: { user: 0.001404, system: 0 },
  leftovers: 0,
  livingLeftovers: 0,
  survivors: [],
  caller: 'default',
  client: '127.0.0.1',
  labels: { env: 'prod' },
}

export const RUNNING_EXAMPLE: JobJson = {
  ...JOB_EXAMPLE,
  cmd: 'sleep 300',
  execCmd: 'sleep 300',
  async: true,
  state: 'running',
  stdout: '',
  stderr: '',
  exitCode: 0,
  error: '',
  finishTime: '0001-01-01T00:00:00Z',
  reason: '',
  stdoutBytes: 0,
  stderrBytes: 0,
  cpu: { user: 0, system: 0 },
}

export const CANCELED_EXAMPLE: JobJson = {
  ...RUNNING_EXAMPLE,
  state: 'canceled',
  error: 'signal: terminated',
  finishTime: JOB_EXAMPLE.finishTime,
  reason: 'canceled',
  signal: 'SIGTERM',
}

export const LISTED_EXAMPLE: JobInList = {
  ...JOB_EXAMPLE,
  stdout: '',
  stderr: '',
  droppedBytes: 11,
  cmdTruncated: false,
  paramsTruncated: false,
  execCmdTruncated: false,
}
