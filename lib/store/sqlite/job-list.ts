import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { JobState } from '../../jobs/job.ts'
import { type JobPage, type JobQuery, MOST_LETTERS_IN_LIST, type StoredJob } from '../job-store.ts'
import { type Database, LIMIT, type StatementSync } from './database.ts'
import { fromRow, RECENT_JOBS, SELECTED_COLUMNS } from './job-rows.ts'

/**
 * Lists jobs along an index. Where one index leads to exactly what is asked for, that is one look; else a bounded
 * number of jobs is looked at, and the answer says where to go on: a look that finds nothing among 100,000 jobs must
 * not hold up the agent.
 */
export const createJobList = (database: Database) => {
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql)
    if (!statement) {
      statement = database.prepare(sql)
      statement.setReturnArrays(true)
      statements.set(sql, statement)
    }
    return statement
  }

  const listExactly = ({ way, limit }: Plan): JobPage => {
    const sql = `SELECT ${COLUMNS_IN_LIST} FROM ${way.from} WHERE ${way.where} ORDER BY ${way.id} DESC ${LIMIT}`
    const rows = prepare(sql).all(...way.values, limit) as unknown as SQLOutputValue[][]
    return { jobs: rows.map(fromRow), next: undefined }
  }

  const listSlice = ({ way, rest, limit }: Plan): JobPage => {
    const ids = `SELECT ${way.id} AS id FROM ${way.from} WHERE ${way.where} ORDER BY ${way.id} DESC`
    const rows = prepare(
      `SELECT ${COLUMNS_IN_LIST} FROM (${ids} LIMIT ${SLICE}) AS slice CROSS JOIN jobs ON jobs.id = slice.id
        WHERE ${rest.map(({ sql }) => sql).join(' AND ')} ORDER BY slice.id DESC ${LIMIT}`,
    ).all(...way.values, ...rest.flatMap(({ values }) => values), limit) as unknown as SQLOutputValue[][]
    const [last] = prepare(`${ids} LIMIT 1 OFFSET ${SLICE - 1}`).all(...way.values) as unknown as [string][]
    return { jobs: rows.map(fromRow), next: rows.length < limit ? last?.[0] : undefined }
  }

  /** Each state has its index; the newest of all of them are among the newest of each. */
  const listByStates = (query: JobQuery, states: readonly JobState[]): JobPage => {
    const jobs = states.flatMap(state => listExactly(planOf({ ...query, states: [state] })).jobs)
    return { jobs: jobs.sort(byId).slice(0, query.limit), next: undefined }
  }

  const listSettled = (query: JobQuery): JobPage => {
    const { states, labels, caller, text } = query
    // None of them runs.
    if (states?.length === 0) return { jobs: [], next: undefined }
    const isByState = states && !labels?.length && caller === undefined && text === undefined
    if (isByState && states.length > 1) return listByStates(query, states)
    const plan = planOf(query)
    return plan.rest.length === 0 ? listExactly(plan) : listSlice(plan)
  }

  /** There are not many of them; newest first. */
  const listRecent = (query: JobQuery): StoredJob[] => {
    const { before = AFTER_ALL_IDS, from = '', limit } = query
    const conditions = conditionsOf(query)
    const where = ['jobs.id < ?', 'jobs.id >= ?', ...conditions.map(({ sql }) => sql)].join(' AND ')
    const sql = `SELECT ${COLUMNS_IN_LIST} FROM ${RECENT_JOBS} WHERE ${where} ORDER BY jobs.id DESC ${LIMIT}`
    const values = [before, from, ...conditions.flatMap(({ values }) => values), limit]
    return (prepare(sql).all(...values) as unknown as SQLOutputValue[][]).map(fromRow)
  }

  /** Of all but the recent jobs, no more than may be among the newest of both. */
  const listOthers = (query: JobQuery, recent: StoredJob[]): JobPage => {
    const oldest = recent.at(-1)?.job.id
    if (oldest === undefined) return listSettled(query)
    const missing = query.limit - recent.length
    const first = missing > 0 ? { ...query, limit: missing } : { ...query, from: oldest, limit: 1 }
    const page = listSettled(first)
    const last = page.jobs[first.limit - 1]?.job.id
    if (last === undefined || last < oldest) return page
    // Recent jobs that are older than that have run for long: so many others may come before them.
    const older = recent.filter(({ job }) => job.id < last).length
    const rest = listSettled({ ...query, from: oldest, before: last, limit: older })
    return { jobs: [...page.jobs, ...rest.jobs], next: rest.next }
  }

  return (query: JobQuery): JobPage => {
    const recent = listRecent(query)
    const settled = { ...query, states: query.states?.filter(isEnd) }
    const { jobs, next = '' } = listOthers(settled, recent)
    // No further than the others were looked at.
    const all = [...jobs, ...recent.filter(({ job }) => job.id >= next)].sort(byId)
    return {
      jobs: all.slice(0, query.limit),
      next: next !== '' && all.length < query.limit ? next : undefined,
    }
  }
}

/** The newest first. */
const byId = ({ job: { id } }: StoredJob, other: StoredJob): number => (id < other.job.id ? 1 : -1)

/** A page of whole commands could be 50 MB. */
const COLUMNS_IN_LIST = SELECTED_COLUMNS.replace(
  /jobs\.(cmd|params)\b/g,
  `substr(jobs.$1, 1, ${MOST_LETTERS_IN_LIST})`,
)

/** Among how many jobs, whose commands may be long, one look searches. */
const SLICE = 250

interface Condition {
  sql: string
  values: SQLInputValue[]
  /** The index that leads to all for which it is true, with the same values. */
  way?: { from: string; where: string; id: string }
}

/** An index to go along, and what must be true of the jobs that it leads to. */
interface Plan {
  way: { from: string; where: string; id: string; values: SQLInputValue[] }
  rest: Condition[]
  limit: number
}

const planOf = (query: JobQuery): Plan => {
  const rest = conditionsOf(query)
  const at = rest.findIndex(({ way }) => way !== undefined)
  const [first] = at < 0 ? [] : rest.splice(at, 1)
  const { from, where, id } = first?.way ?? EVERY_JOB
  const { from: oldest = '', before = AFTER_ALL_IDS, limit } = query
  return {
    way: {
      from,
      where: [where, `${id} < ?`, `${id} >= ?`].join(' AND '),
      id,
      values: [...(first?.values ?? []), before, oldest],
    },
    rest,
    limit,
  }
}

/** What must be true of a job, in either of the tables; those that an index leads to first. */
const conditionsOf = ({ labels = [], caller, states, text }: JobQuery): Condition[] => [
  ...labels.map(label => ({ ...LABEL, values: [label] })),
  ...(caller === undefined ? [] : [callerCondition(caller)]),
  ...(states ? [statesCondition(states)] : []),
  ...(text === undefined ? [] : [textCondition(text)]),
]

const callerCondition = (caller: string): Condition => {
  const sql = 'jobs.caller = ?'
  return { sql, values: [caller], way: { ...EVERY_JOB, where: sql } }
}

const statesCondition = (states: readonly JobState[]): Condition => {
  const condition = { sql: `jobs.state IN (${states.map(() => '?').join()})`, values: [...states] }
  if (states.length !== 1) return condition
  // SQLite uses a partial index only where the statement itself says that its condition holds.
  return { ...condition, way: { ...EVERY_JOB, where: `jobs.state = ? AND jobs.state <> 'running'` } }
}

const isEnd = (state: JobState): boolean => state !== 'running'

const textCondition = (text: string): Condition => {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
  const like = (column: string) => `jobs.${column} LIKE +? ESCAPE '\\'`
  const sql = `(${['cmd', 'params', 'script_name'].map(like).join(' OR ')})`
  return { sql, values: [pattern, pattern, pattern] }
}

const EVERY_JOB = { from: 'jobs', where: 'true', id: 'jobs.id' }

const LABEL = {
  sql: 'EXISTS (SELECT 1 FROM job_labels WHERE label = ? AND id = jobs.id)',
  way: {
    from: 'job_labels CROSS JOIN jobs ON jobs.id = job_labels.id',
    where: 'job_labels.label = ?',
    id: 'job_labels.id',
  },
}

/** Ids are 32 hex digits. */
const AFTER_ALL_IDS = 'g'
