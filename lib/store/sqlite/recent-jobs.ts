import type { Log } from '../../base/log.ts'
import type { Database } from './database.ts'
import { ALL_COLUMNS } from './job-rows.ts'

/**
 * The jobs that run, and those that have ended lately: a small table, so that the start and the end of a job are written
 * to one page each. What has ended is moved to the table of all jobs, many at a time.
 */
export const createRecentJobs = (database: Database, log?: Pick<Log, 'error'>) => {
  const rows = `FROM recent_jobs WHERE id >= ? AND state <> 'running'`
  // So SQLite keeps no copy of what it changes, in case that it has to take back only this.
  const copy = database.prepare(`INSERT OR ROLLBACK INTO jobs (${ALL_COLUMNS}) SELECT ${ALL_COLUMNS} ${rows}`)
  const remove = database.prepare(`DELETE ${rows}`)
  let count = 0
  /** All that have ended have this id, or one that sorts after it: jobs that run for long are not looked at. */
  let from = ''
  let nextTurn: NodeJS.Immediate | undefined
  let isFailing = false

  /** Not to be called in a transaction. Throws what SQLite throws; then all is as before. */
  const moveEnded = (): void => {
    database.transaction(() => {
      copy.run(from)
      remove.run(from)
    })
    count = 0
    from = AFTER_ALL_IDS
    isFailing = false
  }

  /** What fails is tried again at the end of the next job: until then they are found where they are. */
  const moveMany = (): void => {
    nextTurn = undefined
    try {
      moveEnded()
    } catch (err) {
      if (!isFailing) log?.error({ err }, 'jobs that have ended could not be moved; it is tried again')
      isFailing = true
    }
  }

  // Those of an earlier life. On a full disk they stay where they are, and no start fails for that.
  moveMany()
  return {
    /** One has ended, or was rejected; it is recorded. */
    ended(id: string): void {
      count++
      if (id < from) from = id
      // When whoever waits for its end has been answered.
      if (count >= MANY || isFailing) nextTurn ??= setImmediate(moveMany)
    },

    moveEnded,

    close(): void {
      clearImmediate(nextTurn)
      moveMany()
    },
  }
}

export type RecentJobs = ReturnType<typeof createRecentJobs>

/** Few enough to be moved within a millisecond, and to be looked through for each list. */
const MANY = 32
/** Ids are 32 hex digits. */
const AFTER_ALL_IDS = 'g'
