import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { type JobPage, type JobQuery, MOST_LETTERS_IN_LIST } from '../job-store.ts'
import type { Database, StatementSync } from './database.ts'
import { fromRow, SELECTED_COLUMNS } from './job-rows.ts'

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
    const sql = `SELECT ${COLUMNS_IN_LIST} FROM ${way.from} WHERE ${way.where} ORDER BY ${way.id} DESC LIMIT ?`
    const rows = prepare(sql).all(...way.values, limit) as unknown as SQLOutputValue[][]
    return { jobs: rows.map(fromRow), next: undefined }
  }

  const listSlice = ({ way, rest, limit }: Plan): JobPage => {
    const ids = `SELECT ${way.id} AS id FROM ${way.from} WHERE ${way.where} ORDER BY ${way.id} DESC`
    const rows = prepare(
      `SELECT ${COLUMNS_IN_LIST} FROM (${ids} LIMIT ${SLICE}) AS slice CROSS JOIN jobs ON jobs.id = slice.id
        WHERE ${rest.map(({ sql }) => sql).join(' AND ')} ORDER BY slice.id DESC LIMIT ?`,
    ).all(...way.values, ...rest.flatMap(({ values }) => values), limit) as unknown as SQLOutputValue[][]
    const [last] = prepare(`${ids} LIMIT 1 OFFSET ${SLICE - 1}`).all(...way.values) as unknown as [string][]
    return { jobs: rows.map(fromRow), next: rows.length < limit ? last?.[0] : undefined }
  }

  /** Each state has its index; the newest of all of them are among the newest of each. */
  const listByStates = (query: JobQuery, states: readonly string[]): JobPage => {
    const jobs = states.flatMap(state => listExactly(planOf(query, state)).jobs)
    jobs.sort((one, other) => (one.job.id < other.job.id ? 1 : -1))
    return { jobs: jobs.slice(0, query.limit), next: undefined }
  }

  return (query: JobQuery): JobPage => {
    const { states, labels, caller, text } = query
    const isByState = states && !labels?.length && caller === undefined && text === undefined
    if (isByState && states.length > 1) return listByStates(query, states)
    const plan = planOf(query)
    return plan.rest.length === 0 ? listExactly(plan) : listSlice(plan)
  }
}

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
}

/** An index to go along, and what must be true of the jobs that it leads to. */
interface Plan {
  way: { from: string; where: string; id: string; values: SQLInputValue[] }
  rest: Condition[]
  limit: number
}

const planOf = (query: JobQuery, only?: string): Plan => {
  const { labels = [], caller, text, limit } = query
  const states = only === undefined ? query.states : [only]
  const conditions: (Condition & { way?: Plan['way']['from']; idOf?: string })[] = []
  for (const label of labels) conditions.push({ ...LABEL, values: [label] })
  if (caller !== undefined) conditions.push({ way: 'jobs', sql: 'jobs.caller = ?', values: [caller] })
  // Not as a parameter: SQLite uses a partial index only when the statement itself shows that its condition holds.
  if (states?.length === 1) conditions.push({ way: 'jobs', sql: STATE_INDEX[states[0]!]!, values: [] })
  else if (states)
    conditions.push({ sql: `jobs.state IN (${states.map(() => '?').join()})`, values: [...states] })
  if (text !== undefined) {
    const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
    const like = (column: string) => `jobs.${column} LIKE ? ESCAPE '\\'`
    const sql = `(${['cmd', 'params', 'script_name'].map(like).join(' OR ')})`
    conditions.push({ sql, values: [pattern, pattern, pattern] })
  }
  const first = conditions[0]?.way === undefined ? undefined : conditions.shift()
  const id = first?.idOf ?? 'jobs.id'
  const { from = '', before = AFTER_ALL_IDS } = query
  const isLabel = first?.idOf !== undefined
  return {
    way: {
      from: first?.way ?? 'jobs',
      where: [isLabel ? 'job_labels.label = ?' : (first?.sql ?? 'true'), `${id} < ?`, `${id} >= ?`].join(
        ' AND ',
      ),
      id,
      values: [...(first?.values ?? []), before, from],
    },
    rest: conditions,
    limit,
  }
}

const LABEL = {
  way: 'job_labels CROSS JOIN jobs ON jobs.id = job_labels.id',
  idOf: 'job_labels.id',
  sql: 'EXISTS (SELECT 1 FROM job_labels WHERE label = ? AND id = jobs.id)',
}

const STATE_INDEX: Record<string, string> = {
  running: `jobs.state = 'running'`,
  ...Object.fromEntries(
    ['success', 'failed', 'canceled', 'rejected'].map(state => [
      state,
      `jobs.state = '${state}' AND jobs.state <> 'running'`,
    ]),
  ),
}

/** Ids are 32 hex digits. */
const AFTER_ALL_IDS = 'g'
