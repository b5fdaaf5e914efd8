import type { Database } from './database.ts'
import type { EndedJob, EndReason, Job, JobState, RejectedJob, RunningJob, ScriptType } from './job.ts'
import type { Micros } from './timestamp.ts'

/** A job as it is stored, with what only the agent itself needs. */
export interface StoredJob {
  /** The row; outputs refer to it. */
  number: number
  mark: number
  job: Job
  /** True once it has ended. */
  totals: OutputTotals
}

/** A client's name for a submission (RFC draft-ietf-httpapi-idempotency-key-header), and what it stood for. */
export interface IdempotencyKey {
  key: string
  /** SHA-256 of the request; its body is not kept. */
  requestHash: Uint8Array
}

export interface OutputTotals {
  stdoutBytes: number
  stderrBytes: number
  keptBytes: number
}

export interface JobQuery {
  state?: JobState | undefined
  /** Only jobs older than the one with this id. */
  before?: string | undefined
  limit: number
}

/** The records of all jobs. Every method may throw what SQLite throws, a full disk for example. */
export const createJobStore = (database: Database) => {
  const insert = database.prepare(`
    INSERT INTO jobs (id, state, mark, async, encoding, create_time, finish_time, error, reason,
                      script_name, script_type, script_path, cmd, params, idempotency_key, request_hash)
    VALUES (:id, :state, :mark, :async, :encoding, :createTime, :finishTime, :error, :reason,
            :scriptName, :scriptType, :scriptPath, :cmd, :params, :key, :hash)`)
  const start = database.prepare('UPDATE jobs SET pid = ?, start_time = ? WHERE number = ?')
  const finish = database.prepare(`
    UPDATE jobs SET state = :state, pid = :pid, start_time = :startTime, finish_time = :finishTime,
                    exit_code = :exitCode, signal = :signal, error = :error, reason = :reason,
                    stdout_bytes = :stdoutBytes, stderr_bytes = :stderrBytes, kept_bytes = :keptBytes,
                    cpu_user = :cpuUser, cpu_system = :cpuSystem, leftovers = :leftovers, survivors = :survivors
    WHERE number = :number`)
  const byId = database.prepare('SELECT * FROM jobs WHERE id = ?')
  const byKey = database.prepare('SELECT id, request_hash FROM jobs WHERE idempotency_key = ?')
  const running = database.prepare(`SELECT * FROM jobs WHERE state = 'running'`)
  const newest = database.prepare('SELECT * FROM jobs WHERE id < ? ORDER BY id DESC LIMIT ?')
  const newestOfState = database.prepare(
    'SELECT * FROM jobs WHERE state = ? AND id < ? ORDER BY id DESC LIMIT ?',
  )

  return {
    /** Stores a job before it is started, or one that never will be; returns its number. */
    insert(job: RunningJob | RejectedJob, mark: number, key?: IdempotencyKey): number {
      const rejected = job.state === 'rejected'
      const { lastInsertRowid } = insert.run({
        id: job.id,
        state: job.state,
        mark,
        async: Number(job.async),
        encoding: job.encoding,
        createTime: job.createTime,
        finishTime: rejected ? job.createTime : null,
        error: rejected ? job.error : '',
        reason: rejected ? 'rejected' : '',
        scriptName: job.scriptName,
        scriptType: job.scriptType,
        scriptPath: job.scriptPath,
        cmd: job.cmd,
        params: job.params,
        key: key?.key ?? null,
        hash: key?.requestHash ?? null,
      })
      return Number(lastInsertRowid)
    },

    markStarted(number: number, pid: number, startTime: Micros): void {
      start.run(pid, startTime, number)
    },

    finish(number: number, job: EndedJob, totals: OutputTotals): void {
      const { state, pid, startTime, finishTime, exitCode, signal, error, reason, leftovers } = job
      finish.run({
        ...{ number, state, pid, startTime, finishTime, exitCode, signal, error, reason, leftovers },
        ...totals,
        cpuUser: job.cpu.user,
        cpuSystem: job.cpu.system,
        survivors: JSON.stringify(job.survivors),
      })
    },

    find(id: string): StoredJob | undefined {
      const row = byId.get(id) as unknown as JobRow | undefined
      return row && fromRow(row)
    },

    findByKey(key: string): { id: string; requestHash: Uint8Array } | undefined {
      const row = byKey.get(key) as unknown as { id: string; request_hash: Uint8Array } | undefined
      return row && { id: row.id, requestHash: row.request_hash }
    },

    findRunning: (): StoredJob[] => (running.all() as unknown as JobRow[]).map(fromRow),

    /** Newest first: ids sort by time. */
    list({ state, before, limit }: JobQuery): StoredJob[] {
      const below = before ?? AFTER_ALL_IDS
      const rows = state === undefined ? newest.all(below, limit) : newestOfState.all(state, below, limit)
      return (rows as unknown as JobRow[]).map(fromRow)
    },
  }
}

export type JobStore = ReturnType<typeof createJobStore>

/** Ids are 32 hex digits. */
const AFTER_ALL_IDS = 'g'

interface JobRow {
  number: number
  id: string
  state: JobState
  mark: number
  pid: number
  async: number
  encoding: string
  create_time: Micros
  start_time: Micros | null
  finish_time: Micros | null
  exit_code: number
  signal: string
  error: string
  reason: EndReason
  stdout_bytes: number
  stderr_bytes: number
  kept_bytes: number
  cpu_user: number
  cpu_system: number
  leftovers: number
  survivors: string
  script_name: string
  script_type: ScriptType | ''
  script_path: string
  cmd: string
  params: string
}

const fromRow = (row: JobRow): StoredJob => ({
  number: row.number,
  mark: row.mark,
  job: jobFromRow(row),
  totals: { stdoutBytes: row.stdout_bytes, stderrBytes: row.stderr_bytes, keptBytes: row.kept_bytes },
})

const jobFromRow = (row: JobRow): Job => {
  const facts = {
    id: row.id,
    cmd: row.cmd,
    params: row.params,
    scriptName: row.script_name,
    scriptType: row.script_type,
    scriptPath: row.script_path,
    async: row.async === 1,
    encoding: row.encoding,
    createTime: row.create_time,
  }
  if (row.state === 'rejected') return { ...facts, state: row.state, error: row.error }
  if (row.state === 'running') {
    return { ...facts, state: row.state, pid: row.pid, startTime: row.start_time ?? undefined }
  }
  return {
    ...facts,
    state: row.state,
    pid: row.pid,
    startTime: row.start_time ?? row.create_time,
    finishTime: row.finish_time ?? row.create_time,
    exitCode: row.exit_code,
    signal: row.signal,
    error: row.error,
    reason: row.reason,
    cpu: { user: row.cpu_user, system: row.cpu_system },
    leftovers: row.leftovers,
    survivors: JSON.parse(row.survivors),
  }
}
