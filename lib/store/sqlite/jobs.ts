import type { SQLOutputValue } from 'node:sqlite'
import { type EndedJob, labelsOf, type RejectedJob, type RunningJob } from '../../jobs/job.ts'
import type { IdempotencyKey, JobStore, StartedJob, StoredJob } from '../job-store.ts'
import type { OutputTotals } from '../output-store.ts'
import type { Database, StatementSync } from './database.ts'
import { createJobList } from './job-list.ts'
import {
  createdValues,
  endedValues,
  fromRow,
  INSERT_JOB,
  SELECT_JOBS,
  SELECT_RECENT_JOBS,
  startedValues,
  UPDATE_ENDED,
  UPDATE_STARTED,
} from './job-rows.ts'
import { createRecentJobs, type RecentJobs } from './recent-jobs.ts'
import type { Room } from './room.ts'

/** The records of all jobs. Every method may throw what SQLite throws, a full disk for example. */
export const createJobStore = (
  database: Database,
  room?: Pick<Room, 'spend'>,
  recent: Pick<RecentJobs, 'ended'> = createRecentJobs(database),
): JobStore => {
  const insert = database.prepare(INSERT_JOB)
  const start = database.prepare(UPDATE_STARTED)
  const finish = database.prepare(UPDATE_ENDED)
  const select = (sql: string): StatementSync => {
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
  const recentById = select(`${SELECT_RECENT_JOBS} WHERE id = ?`)
  const byId = select(`${SELECT_JOBS} WHERE id = ?`)
  const running = select(`${SELECT_RECENT_JOBS} WHERE state = 'running'`)
  const byKey = database.prepare(`
    SELECT id, request_hash FROM recent_jobs WHERE idempotency_key = ?1
    UNION ALL SELECT id, request_hash FROM jobs WHERE idempotency_key = ?1`)
  const addLabel = database.prepare('INSERT INTO job_labels (label, id) VALUES (?, ?)')
  // Never used again while this agent lives: readers of a job that was removed must not read another. Nor may a new
  // job be given an output whose job was removed before all of that was.
  let { lastNumber } = database
    .prepare(`
      SELECT max(
        coalesce((SELECT max(number) FROM jobs), 0),
        coalesce((SELECT max(number) FROM recent_jobs), 0),
        coalesce((SELECT max(job) FROM outputs), 0)
      ) AS lastNumber`)
    .get() as unknown as { lastNumber: number }

  const addStart = ({ id, pid, startTime }: StartedJob): void =>
    void start.run(...startedValues({ pid, startTime }), id)

  return {
    /** Stores a job before it is started, or one that never will be; returns its number. */
    insert(job: RunningJob | RejectedJob, mark: number, key?: IdempotencyKey): number {
      room?.spend(BYTES_A_JOB + TIMES_WRITTEN * (job.cmd.length + job.params.length))
      const number = ++lastNumber
      const values = createdValues({ number, job, mark, key })
      const labels = labelsOf(job)
      if (labels.length === 0) insert.run(...values)
      else
        database.transaction(() => {
          insert.run(...values)
          for (const label of labels) addLabel.run(label, job.id)
        })
      if (job.state === 'rejected') recent.ended(job.id)
      return number
    },

    markStarted(jobs: readonly StartedJob[]): void {
      const [first, ...others] = jobs
      if (!first) return
      if (others.length === 0) addStart(first)
      else database.transaction(() => jobs.forEach(addStart))
    },

    finish(job: EndedJob, totals: OutputTotals, storedBytes: number): void {
      finish.run(...endedValues({ job, totals, storedBytes }), job.id)
      recent.ended(job.id)
    },

    find(id: string): StoredJob | undefined {
      const row = byId.get(id) ?? recentById.get(id)
      return row && fromRow(row as unknown as SQLOutputValue[])
    },

    findByKey(key: string): { id: string; requestHash: Uint8Array } | undefined {
      const row = byKey.get(key) as unknown as { id: string; request_hash: Uint8Array } | undefined
      return row && { id: row.id, requestHash: row.request_hash }
    },

    findRunning: (): StoredJob[] => (running.all() as unknown as SQLOutputValue[][]).map(fromRow),

    list: createJobList(database),
  }
}

/** When it is created, has started, has ended, and is moved. */
const TIMES_WRITTEN = 4
/** What its start and its end put into the log: some pages. */
const BYTES_A_JOB = 64 << 10
