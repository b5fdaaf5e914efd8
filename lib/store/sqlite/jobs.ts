import type { Micros } from '../../base/timestamp.ts'
import type { OutputTotals } from '../../jobs/job.ts'
import { type EndedJob, JOB_STATES, type RejectedJob, type RunningJob } from '../../jobs/job.ts'
import type { IdempotencyKey, JobQuery, JobStore, StoredJob } from '../job-store.ts'
import type { Database, StatementSync } from './database.ts'
import { fromRow, JOB_COLUMNS, type JobRow } from './job-columns.ts'

/** The records of all jobs. Every method may throw what SQLite throws, a full disk for example. */
export const createJobStore = (database: Database): JobStore => {
  const insert = database.prepare(`
    INSERT INTO jobs (number, id, state, mark, async, encoding, create_time, finish_time, error, reason,
                      script_name, script_type, script_path, cmd, params, idempotency_key, request_hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const start = database.prepare('UPDATE jobs SET pid = ?, start_time = ? WHERE number = ?')
  const finish = database.prepare(`
    UPDATE jobs SET state = ?, pid = ?, start_time = ?, finish_time = ?, exit_code = ?, signal = ?, error = ?,
                    reason = ?, stdout_bytes = ?, stderr_bytes = ?, kept_bytes = ?, cpu_user = ?, cpu_system = ?,
                    leftovers = ?, survivors = ?, stored_bytes = ?
    WHERE number = ?`)
  const select = (rest: string): StatementSync => {
    const statement = database.prepare(`SELECT ${JOB_COLUMNS} FROM jobs ${rest}`)
    statement.setReturnArrays(true)
    return statement
  }
  const byId = select('WHERE id = ?')
  const byKey = database.prepare('SELECT id, request_hash FROM jobs WHERE idempotency_key = ?')
  const running = select(`WHERE state = 'running'`)
  const newest = select('WHERE id < ? ORDER BY id DESC LIMIT ?')
  // In words, for the planner must see which of the indexes holds the state.
  const newestOfState = new Map(
    JOB_STATES.map(state => {
      const isState = state === 'running' ? `state = 'running'` : `state = '${state}' AND state <> 'running'`
      return [state, select(`WHERE ${isState} AND id < ? ORDER BY id DESC LIMIT ?`)]
    }),
  )
  // Never used again while this agent lives: readers of a job that was removed must not read another. Nor may a new
  // job be given an output whose job was removed before all of that was.
  let { lastNumber } = database
    .prepare(`
      SELECT max(coalesce((SELECT max(number) FROM jobs), 0), coalesce((SELECT max(job) FROM outputs), 0)) AS lastNumber`)
    .get() as unknown as { lastNumber: number }

  return {
    /** Stores a job before it is started, or one that never will be; returns its number. */
    insert(job: RunningJob | RejectedJob, mark: number, key?: IdempotencyKey): number {
      const number = ++lastNumber
      const rejected = job.state === 'rejected'
      insert.run(
        number,
        job.id,
        job.state,
        mark,
        Number(job.async),
        job.encoding,
        job.createTime,
        rejected ? job.createTime : null,
        rejected ? job.error : '',
        rejected ? 'rejected' : '',
        job.scriptName,
        job.scriptType,
        job.scriptPath,
        job.cmd,
        job.params,
        key?.key ?? null,
        key?.requestHash ?? null,
      )
      return number
    },

    markStarted(number: number, pid: number, startTime: Micros): void {
      start.run(pid, startTime, number)
    },

    finish(number: number, job: EndedJob, totals: OutputTotals, storedBytes: number): void {
      const { stdoutBytes, stderrBytes, keptBytes } = totals
      finish.run(
        job.state,
        job.pid,
        job.startTime,
        job.finishTime,
        job.exitCode,
        job.signal,
        job.error,
        job.reason,
        stdoutBytes,
        stderrBytes,
        keptBytes,
        job.cpu.user,
        job.cpu.system,
        job.leftovers,
        job.survivors.length === 0 ? '[]' : JSON.stringify(job.survivors),
        storedBytes,
        number,
      )
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
      const statement = (state && newestOfState.get(state)) ?? newest
      return (statement.all(below, limit) as unknown as JobRow[]).map(fromRow)
    },
  }
}

/** Ids are 32 hex digits. */
const AFTER_ALL_IDS = 'g'
