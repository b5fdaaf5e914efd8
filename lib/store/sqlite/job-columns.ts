import type { SQLInputValue } from 'node:sqlite'
import type { Micros } from '../../base/timestamp.ts'
import {
  type EndedJob,
  type EndReason,
  type JobState,
  NO_LABELS,
  NO_LIMITS,
  type RejectedJob,
  type RunningJob,
  type ScriptType,
} from '../../jobs/job.ts'
import { NO_USAGE } from '../../process/types.ts'
import type { IdempotencyKey } from '../job-store.ts'
import type { OutputTotals } from '../output-store.ts'

/** What is known of a job when it is created, or rejected. */
export interface Created {
  number: number
  job: RunningJob | RejectedJob
  mark: number
  key: IdempotencyKey | undefined
}

export interface Started {
  pid: number
  startTime: Micros
}

export interface Ended {
  job: EndedJob
  totals: OutputTotals
  storedBytes: number
}

/** A job that is read, while its fields are filled in. */
export interface Draft {
  number: number
  mark: number
  job: Omit<EndedJob, 'state' | 'startTime'> & { state: JobState; startTime: Micros | undefined }
  totals: OutputTotals
}

/** A column of the table of jobs: when it is written and with what, and where its value goes when it is read. */
export interface Column {
  name: string
  onCreate?: (created: Created) => SQLInputValue
  onStart?: (started: Started) => SQLInputValue
  onEnd?: (ended: Ended) => SQLInputValue
  /** Absent when it is not part of a job that is read. `value` has the type that the column has. */
  read?: (to: Draft, value: never) => void
  /** The states in which a job has the field; all by default. */
  states?: readonly JobState[]
}

const ENDED = ['success', 'failed', 'canceled'] as const
const RAN = ['running', ...ENDED] as const
const WITH_ERROR = ['rejected', ...ENDED] as const

const ifRejected = <T>(job: RunningJob | RejectedJob, value: (job: RejectedJob) => T, otherwise: T): T =>
  job.state === 'rejected' ? value(job) : otherwise

/** A new field of a job is a line here, and a migration of both tables. Where one says nothing the column has its default. */
// biome-ignore format: a table
export const COLUMNS: readonly Column[] = [
  { name: 'number', onCreate: c => c.number, read: (to, v: number) => { to.number = v } },
  { name: 'mark', onCreate: c => c.mark, read: (to, v: number) => { to.mark = v } },
  { name: 'id', onCreate: c => c.job.id, read: (to, v: string) => { to.job.id = v } },
  { name: 'state', onCreate: c => c.job.state, onEnd: e => e.job.state, read: (to, v: JobState) => { to.job.state = v } },
  { name: 'cmd', onCreate: c => c.job.cmd, read: (to, v: string) => { to.job.cmd = v } },
  { name: 'params', onCreate: c => c.job.params, read: (to, v: string) => { to.job.params = v } },
  { name: 'script_name', onCreate: c => c.job.scriptName, read: (to, v: string) => { to.job.scriptName = v } },
  { name: 'script_type', onCreate: c => c.job.scriptType, read: (to, v: ScriptType | '') => { to.job.scriptType = v } },
  { name: 'script_path', onCreate: c => c.job.scriptPath, read: (to, v: string) => { to.job.scriptPath = v } },
  { name: 'async', onCreate: c => Number(c.job.async), read: (to, v: number) => { to.job.async = v === 1 } },
  { name: 'encoding', onCreate: c => c.job.encoding, read: (to, v: string) => { to.job.encoding = v } },
  { name: 'create_time', onCreate: c => c.job.createTime, read: (to, v: Micros) => { to.job.createTime = v } },
  { name: 'caller', onCreate: c => c.job.caller, read: (to, v: string) => { to.job.caller = v } },
  { name: 'client', onCreate: c => c.job.client, read: (to, v: string) => { to.job.client = v } },
  { name: 'labels', onCreate: c => c.job.labels === NO_LABELS ? '{}' : JSON.stringify(c.job.labels), read: (to, v: string) => { to.job.labels = v === '{}' ? NO_LABELS : JSON.parse(v) } },
  { name: 'user', onCreate: c => c.job.user, read: (to, v: string) => { to.job.user = v } },
  { name: 'limits', onCreate: c => c.job.limits === NO_LIMITS ? '{}' : JSON.stringify(c.job.limits), read: (to, v: string) => { to.job.limits = v === '{}' ? NO_LIMITS : JSON.parse(v) } },
  { name: 'notify', onCreate: c => c.job.notify && JSON.stringify(c.job.notify), read: (to, v: string | null) => { to.job.notify = v === null ? null : JSON.parse(v) } },
  { name: 'queue', onCreate: c => c.job.queue && JSON.stringify(c.job.queue), read: (to, v: string | null) => { to.job.queue = v === null ? null : JSON.parse(v) } },
  { name: 'pid', onStart: s => s.pid, onEnd: e => e.job.pid, states: RAN, read: (to, v: number) => { to.job.pid = v } },
  { name: 'start_time', onStart: s => s.startTime, onEnd: e => e.job.startTime, states: RAN, read: (to, v: Micros | null) => { to.job.startTime = v ?? undefined } },
  { name: 'finish_time', onCreate: c => ifRejected<number | null>(c.job, job => job.createTime, null), onEnd: e => e.job.finishTime, states: ENDED, read: (to, v: Micros) => { to.job.finishTime = v } },
  { name: 'exit_code', onEnd: e => e.job.exitCode, states: ENDED, read: (to, v: number) => { to.job.exitCode = v } },
  { name: 'signal', onEnd: e => e.job.signal, states: ENDED, read: (to, v: string) => { to.job.signal = v } },
  { name: 'error', onCreate: c => ifRejected(c.job, job => job.error, ''), onEnd: e => e.job.error, states: WITH_ERROR, read: (to, v: string) => { to.job.error = v } },
  { name: 'reason', onCreate: c => ifRejected(c.job, () => 'rejected', ''), onEnd: e => e.job.reason, states: ENDED, read: (to, v: EndReason) => { to.job.reason = v } },
  { name: 'cpu_user', onEnd: e => e.job.cpu.user, states: ENDED, read: (to, v: number) => { to.job.cpu = { user: v, system: 0 } } },
  { name: 'cpu_system', onEnd: e => e.job.cpu.system, states: ENDED, read: (to, v: number) => { to.job.cpu.system = v } },
  { name: 'usage_cpu', onEnd: e => e.job.usage.cpu, states: ENDED, read: (to, v: number | null) => { to.job.usage = { ...NO_USAGE, cpu: v } } },
  { name: 'peak_memory', onEnd: e => e.job.usage.peakMemory, states: ENDED, read: (to, v: number | null) => { to.job.usage.peakMemory = v } },
  { name: 'peak_processes', onEnd: e => e.job.usage.peakProcesses, states: ENDED, read: (to, v: number | null) => { to.job.usage.peakProcesses = v } },
  { name: 'read_bytes', onEnd: e => e.job.usage.readBytes, states: ENDED, read: (to, v: number | null) => { to.job.usage.readBytes = v } },
  { name: 'written_bytes', onEnd: e => e.job.usage.writtenBytes, states: ENDED, read: (to, v: number | null) => { to.job.usage.writtenBytes = v } },
  { name: 'leftovers', onEnd: e => e.job.leftovers, states: ENDED, read: (to, v: number) => { to.job.leftovers = v } },
  { name: 'survivors', onEnd: e => e.job.survivors.length === 0 ? '[]' : JSON.stringify(e.job.survivors), states: ENDED, read: (to, v: string) => { to.job.survivors = v === '[]' ? [] : JSON.parse(v) } },
  { name: 'stdout_bytes', onEnd: e => e.totals.stdoutBytes, read: (to, v: number) => { to.totals.stdoutBytes = v } },
  { name: 'stderr_bytes', onEnd: e => e.totals.stderrBytes, read: (to, v: number) => { to.totals.stderrBytes = v } },
  { name: 'kept_bytes', onEnd: e => e.totals.keptBytes, read: (to, v: number) => { to.totals.keptBytes = v } },
  { name: 'stored_bytes', onEnd: e => e.storedBytes },
  { name: 'idempotency_key', onCreate: c => c.key?.key ?? null },
  { name: 'request_hash', onCreate: c => c.key?.requestHash ?? null },
]
