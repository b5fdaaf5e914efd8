import { closeSync, existsSync, openSync, renameSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Log } from '../../base/log.ts'
import { MIGRATIONS } from './schema.ts'

export type { StatementSync }
export type Database = ReturnType<typeof openDatabase>

/**
 * A limit that is given with each call. A bare `LIMIT ?` would have SQLite compile the statement anew each time; so would
 * a bare `LIKE ?`.
 */
export const LIMIT = 'LIMIT +?'

/** The directory belongs to another running agent. */
export class DatabaseLockedError extends Error {}

/**
 * Opens the agent's one database file, creating or migrating it. It stays locked for as long as the process lives:
 * SQLite's exclusive locking mode holds a lock of the kernel's, which no crash leaves behind. A file that is no
 * sound database is moved aside, and a new one is begun. Throws DatabaseLockedError.
 */
export const openDatabase = (path: string, log: Log) => {
  // SQLite would create it with the umask's mode; -wal takes over the mode of the file itself.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const endedInOrder = sizeOf(`${path}-wal`) === 0
  let database = new DatabaseSync(path)
  try {
    migrate(database, path, log)
    probe(database, endedInOrder || sizeOf(path) > LARGEST_CHECKED_BYTES)
  } catch (error) {
    const code = sqliteCode(error)
    // Moved before it is closed: closing would remove its -wal.
    const aside = code === SQLITE_CORRUPT || code === SQLITE_NOTADB ? moveAside(path) : undefined
    database.close()
    if (code === SQLITE_BUSY) throw new DatabaseLockedError()
    if (aside === undefined) throw error
    log.error(
      { err: error, movedTo: aside },
      'THE DATABASE IS CORRUPT: moved aside, the history of jobs starts anew',
    )
    closeSync(openSync(path, 'a', 0o600))
    database = new DatabaseSync(path)
    migrate(database, path, log)
  }
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const rollback = database.prepare('ROLLBACK')
  const size = database.prepare(
    'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size',
  )
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)')
  return {
    prepare: (sql: string): StatementSync => database.prepare(sql),

    /** All of `work` is stored, or nothing of it; with all of the transaction that it is done in, if there is one. */
    transaction<T>(work: () => T): T {
      if (database.isTransaction) return work()
      begin.run()
      try {
        const result = work()
        commit.run()
        return result
      } catch (error) {
        // A full disk has ended the transaction already.
        if (database.isTransaction) rollback.run()
        throw error
      }
    },

    path,

    /** How large the file is when the -wal has been moved into it. */
    bytes(): number {
      const { bytes } = size.get() as { bytes: number }
      return bytes
    },

    /**
     * Moves what is in the -wal into the file, and waits for the disk: from then on not even a loss of power loses it.
     * The -wal is empty then.
     */
    checkpoint: (): void => void checkpoint.all(),

    close: (): void => database.close(),
  }
}

const migrate = (database: DatabaseSync, path: string, log: Log): void => {
  // The order matters: the locking mode before the file is first read, auto_vacuum before its first page. Later that
  // would write, which a full disk forbids.
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    ${sizeOf(path) === 0 ? 'PRAGMA auto_vacuum = INCREMENTAL;' : ''}
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 0; -- see room.ts
  `)
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > MIGRATIONS.length) {
    throw new Error(`${path} was written by a newer version of the agent (schema ${version})`)
  }
  for (let next = version; next < MIGRATIONS.length; next++) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[next]}; PRAGMA user_version = ${next + 1}; COMMIT`)
  }
  if (version > 0 && version < MIGRATIONS.length)
    log.info({ path, from: version, to: MIGRATIONS.length }, 'the database was migrated')
  // A lock is only taken with the first write or read; here it is for certain.
  database.exec('BEGIN IMMEDIATE; COMMIT')
}

/**
 * Throws SQLITE_CORRUPT if what the start needs cannot be read; after an end out of order (a -wal was left) also if
 * anything else in the file is not sound. That reads all of it, so a very large file is taken as it is.
 */
const probe = (database: DatabaseSync, lightly: boolean): void => {
  database.prepare('SELECT count(*) FROM recent_jobs').get()
  database.prepare('SELECT sum(stored_bytes) FROM jobs WHERE finish_time IS NOT NULL').get()
  if (lightly) return
  const { quick_check: verdict } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
  if (verdict !== 'ok') throw Object.assign(new Error(verdict), { errcode: SQLITE_CORRUPT })
}

const LARGEST_CHECKED_BYTES = 512 << 20

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Moves a file with its -wal and -shm out of the way; returns where it is now. */
const moveAside = (path: string): string => {
  const aside = `${path}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  }
  return aside
}

/** The primary result code of an SQLite error, https://sqlite.org/rescode.html; undefined for other errors. */
const sqliteCode = (error: unknown): number | undefined => {
  const { errcode } = error as { errcode?: number }
  return errcode === undefined ? undefined : errcode & 0xff
}

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26
