import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { JOB_STATES, type JobState } from '../../jobs/job.ts'
import type { StoredJob } from '../job-store.ts'
import { COLUMNS, type Column, type Created, type Draft, type Ended, type Started } from './job-columns.ts'

const namesOf = (columns: readonly Column[]): string[] => columns.map(({ name }) => name)

const created = COLUMNS.filter(({ onCreate }) => onCreate)
const started = COLUMNS.filter(({ onStart }) => onStart)
const ended = COLUMNS.filter(({ onEnd }) => onEnd)
const selected = COLUMNS.filter(({ read }) => read)

const update = (columns: readonly Column[]): string =>
  `UPDATE recent_jobs SET ${namesOf(columns).join(' = ?, ')} = ? WHERE id = ?`

/** Of both tables of jobs. */
export const ALL_COLUMNS = namesOf(COLUMNS).join(', ')
export const INSERT_JOB = `INSERT INTO recent_jobs (${namesOf(created).join(', ')}) VALUES (${created.map(() => '?').join(', ')})`
/** Takes the values, then the id of the job; so does UPDATE_ENDED. */
export const UPDATE_STARTED = update(started)
export const UPDATE_ENDED = update(ended)
/** What fromRow reads. */
export const SELECTED_COLUMNS = namesOf(selected)
  .map(name => `jobs.${name}`)
  .join(', ')
export const SELECT_JOBS = `SELECT ${SELECTED_COLUMNS} FROM jobs`
/** By the same name, so that the same conditions hold for both. */
export const RECENT_JOBS = 'recent_jobs AS jobs'
export const SELECT_RECENT_JOBS = `SELECT ${SELECTED_COLUMNS} FROM ${RECENT_JOBS}`

const onCreate = created.map(column => column.onCreate!)
const onStart = started.map(column => column.onStart!)
const onEnd = ended.map(column => column.onEnd!)

const valuesOf = <T>(writers: ((from: T) => SQLInputValue)[], from: T): SQLInputValue[] => {
  const values = new Array<SQLInputValue>(writers.length)
  for (let index = 0; index < writers.length; index++) values[index] = writers[index]!(from)
  return values
}

export const createdValues = (job: Created): SQLInputValue[] => valuesOf(onCreate, job)
export const startedValues = (job: Started): SQLInputValue[] => valuesOf(onStart, job)
export const endedValues = (job: Ended): SQLInputValue[] => valuesOf(onEnd, job)

const STATE_INDEX = selected.findIndex(({ name }) => name === 'state')
const readers = new Map(
  JOB_STATES.map(state => {
    const hasField = ({ states }: Column) => states === undefined || states.includes(state)
    const columns = selected.flatMap((column, index) =>
      hasField(column) ? [{ index, read: column.read! }] : [],
    )
    return [state, columns]
  }),
)

/** A row of SELECT_JOBS, as an array: as an object each would cost twice as much. */
export const fromRow = (row: SQLOutputValue[]): StoredJob => {
  const draft = {
    number: 0,
    mark: 0,
    job: {},
    totals: { stdoutBytes: 0, stderrBytes: 0, keptBytes: 0 },
  } as Draft
  for (const { index, read } of readers.get(row[STATE_INDEX] as JobState)!) read(draft, row[index] as never)
  return draft as StoredJob
}
