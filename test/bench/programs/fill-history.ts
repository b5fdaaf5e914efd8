import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { type EndedJob, NO_LABELS, NO_LIMITS, type RunningJob } from '../../../lib/jobs/job.ts'
import { NO_USAGE } from '../../../lib/process/types.ts'
import type { Chunk, OutputTotals } from '../../../lib/store/output-store.ts'

// fill-history.ts <checkout> <database> <jobs>: a store as an agent of that checkout leaves it.
const [directory, path, count] = process.argv.slice(2) as [string, string, string]

/** Of the given checkout, whose schema may be another one; and so may be the place of its files. */
const load = <T>(file: string, earlierFile: string): Promise<T> =>
  import(join(directory, 'lib', existsSync(join(directory, 'lib', file)) ? file : earlierFile))
const { openDatabase } = await load<typeof import('../../../lib/store/sqlite/database.ts')>(
  'store/sqlite/database.ts',
  'database.ts',
)
const { createJobStore } = await load<typeof import('../../../lib/store/sqlite/jobs.ts')>(
  'store/sqlite/jobs.ts',
  'job-store.ts',
)
const { createOutputStore } = await load<typeof import('../../../lib/store/sqlite/outputs.ts')>(
  'store/sqlite/outputs.ts',
  'output-store.ts',
)

/** Undefined for an earlier checkout, whose jobs do not move. */
const recentJobs = existsSync(join(directory, 'lib/store/sqlite/recent-jobs.ts'))
  ? await load<typeof import('../../../lib/store/sqlite/recent-jobs.ts')>('store/sqlite/recent-jobs.ts', '')
  : undefined

const quiet = { info() {}, warn() {}, error() {} }
const database = openDatabase(path, quiet)
const recent = recentJobs?.createRecentJobs(database)
const jobStore = createJobStore(database, undefined, recent)
// Transactions do not nest.
const outputStore = createOutputStore({ ...database, transaction: work => work() })

const JOBS_A_TRANSACTION = 10_000
const SPAN_MS = 3 * 3600_000
const COMMANDS = [
  'uptime',
  'df -h /',
  'systemctl is-active nginx',
  'tail -n 20 /var/log/syslog',
  'echo hello',
]

/** A finished job of the last hours: most succeed, some fail, a few are canceled. */
const endedJob = (index: number, createdMs: number): EndedJob => {
  const state = index % 50 === 7 ? 'canceled' : index % 20 === 3 ? 'failed' : 'success'
  const createTime = createdMs * 1000
  return {
    id: uuidv7({ msecs: createdMs }).replaceAll('-', ''),
    cmd: COMMANDS[index % COMMANDS.length]!,
    params: '',
    labels: NO_LABELS,
    user: '',
    notify: null,
    queue: null,
    limits: NO_LIMITS,
    scriptName: '',
    scriptType: '',
    scriptPath: '',
    async: index % 3 === 0,
    encoding: 'utf-8',
    createTime,
    caller: 'default',
    client: '192.0.2.7',
    state,
    pid: 1000 + (index % 30_000),
    startTime: createTime + 400,
    finishTime: createTime + 3000 + (index % 5000),
    exitCode: state === 'failed' ? 1 : 0,
    signal: state === 'canceled' ? 'SIGTERM' : '',
    error: { success: '', failed: 'exit status 1', canceled: 'signal: terminated' }[state],
    reason: state === 'canceled' ? 'canceled' : 'exited',
    cpu: { user: 0.001, system: 0.001 },
    usage: { ...NO_USAGE, cpu: 0.002, readBytes: 0, writtenBytes: 0 },
    leftovers: 0,
    survivors: [],
  }
}

const store = (job: EndedJob, index: number): void => {
  const { pid, startTime } = job
  const running: RunningJob = { ...job, state: 'running', pid: 0, startTime: undefined }
  const number = jobStore.insert(running, index + 1)
  // Earlier ones had a number before what they have now.
  const isEarlier = jobStore.finish.length === 4
  const before = isEarlier ? [number] : []
  if (isEarlier) Reflect.apply(jobStore.markStarted, jobStore, [number, pid, startTime])
  else jobStore.markStarted([{ id: job.id, pid, startTime }])
  const bytes = Buffer.from(`${job.cmd}: line of output\n`.repeat(1 + (index % 5)))
  const chunk: Chunk = { seq: 1, stream: 'stdout', time: startTime, position: 0, streamPosition: 0, bytes }
  outputStore.append(number, [chunk])
  const totals: OutputTotals = { stdoutBytes: bytes.length, stderrBytes: 0, keptBytes: bytes.length }
  Reflect.apply(jobStore.finish, jobStore, [...before, job, totals, bytes.length])
}

const jobs = Number(count)
const begin = Date.now() - SPAN_MS
for (let from = 0; from < jobs; from += JOBS_A_TRANSACTION) {
  database.transaction(() => {
    for (let index = from; index < Math.min(from + JOBS_A_TRANSACTION, jobs); index++) {
      store(endedJob(index, begin + Math.floor((index / jobs) * SPAN_MS)), index)
    }
  })
  recent?.moveEnded()
}
database.close()
console.log(JSON.stringify({ jobs }))
