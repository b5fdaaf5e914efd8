import type { SQLOutputValue } from 'node:sqlite'
import type { Micros } from '../../base/timestamp.ts'
import { type EndedJob, labelsOf, type RejectedJob, type RunningJob } from '../../jobs/job.ts'
import type { IdempotencyKey, JobStore, StoredJob } from '../job-store.ts'
import type { OutputTotals } from '../output-store.ts'
import type { Database, StatementSync } from './database.ts'
import { createJobList } from './job-list.ts'
import {
  createdValues,
  endedValues,
  fromRow,
  INSERT_JOB,
  SELECT_JOBS,
  startedValues,
  UPDATE_ENDED,
  UPDATE_STARTED,
} from './job-rows.ts'
import type { Room } from './room.ts'

/** The records of all jobs. Every method may throw what SQLite throws, a full disk for example. */
export const createJobStore = (database: Database, room?: Pick<Room, 'spend'>): JobStore => {
  const insert = database.prepare(INSERT_JOB)
  const start = database.prepare(UPDATE_STARTED)
  const finish = database.prepare(UPDATE_ENDED)
  const select = (rest: string): StatementSync => {
    const statement = database.prepare(`${SELECT_JOBS} ${rest}`)
    statement.setReturnArrays(true)
    return statement
  }
  const byId = select('WHERE id = ?')
  const byKey = database.prepare('SELECT id, request_hash FROM jobs WHERE idempotency_key = ?')
  const running = select(`WHERE state = 'running'`)
  const addLabel = database.prepare('INSERT INTO job_labels (label, id) VALUES (?, ?)')
  // Never used again while this agent lives: readers of a job that was removed must not read another. Nor may a new
  // job be given an output whose job was removed before all of that was.
  let { lastNumber } = database
    .prepare(`
      SELECT max(coalesce((SELECT max(number) FROM jobs), 0), coalesce((SELECT max(job) FROM outputs), 0)) AS lastNumber`)
    .get() as unknown as { lastNumber: number }

  return {
    /** Stores a job before it is started, or one that never will be; returns its number. */
    insert(job: RunningJob | RejectedJob, mark: number, key?: IdempotencyKey): number {
      room?.spend(BYTES_A_JOB + job.cmd.length + job.params.length)
      const number = ++lastNumber
      const values = createdValues({ number, job, mark, key })
      const labels = labelsOf(job)
      if (labels.length === 0) insert.run(...values)
      else
        database.transaction(() => {
          insert.run(...values)
          for (const label of labels) addLabel.run(label, job.id)
        })
      return number
    },

    markStarted(number: number, pid: number, startTime: Micros): void {
      start.run(...startedValues({ pid, startTime }), number)
    },

    finish(number: number, job: EndedJob, totals: OutputTotals, storedBytes: number): void {
      finish.run(...endedValues({ job, totals, storedBytes }), number)
    },

    find(id: string): StoredJob | undefined {
      const row = byId.get(id) as unknown as SQLOutputValue[] | undefined
      return row && fromRow(row)
    },

    findByKey(key: string): { id: string; requestHash: Uint8Array } | undefined {
      const row = byKey.get(key) as unknown as { id: string; request_hash: Uint8Array } | undefined
      return row && { id: row.id, requestHash: row.request_hash }
    },

    findRunning: (): StoredJob[] => (running.all() as unknown as SQLOutputValue[][]).map(fromRow),

    list: createJobList(database),
  }
}

/** What its start and its end put into the log: some pages. */
const BYTES_A_JOB = 64 << 10
