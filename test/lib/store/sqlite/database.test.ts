import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { DatabaseLockedError, openDatabase } from '../../../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../../../lib/store/sqlite/outputs.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { runningJob } from '../../../support/sample-jobs.ts'
import { scratchDirectory } from '../../../support/scratch.ts'

const newPath = (): string => join(scratchDirectory(), 'test.db')

const open = (t: TestContext, path: string) => {
  const { log, lines } = recordingLog()
  const database = openDatabase(path, log)
  let isOpen = true
  const close = () => {
    if (isOpen) database.close()
    isOpen = false
  }
  t.after(close)
  return { database: { ...database, close }, lines }
}

const modeOf = (path: string): number => statSync(path).mode & 0o777

/** A process with the database open; see support/write-and-wait.ts. */
const startWriter = (t: TestContext, path: string, what: 'hold' | 'write'): ChildProcess => {
  const program = join(import.meta.dirname, '../../../support/write-and-wait.ts')
  const child = spawn(process.execPath, [program, path, what], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  return child
}

const lockedBy = (path: string) => () => {
  assert.throws(() => openDatabase(path, recordingLog().log), DatabaseLockedError)
}

test('what is stored is there again after closing and opening', t => {
  const path = newPath()
  const first = open(t, path)
  createJobStore(first.database).insert(runningJob({ id: 'kept' }), 7)
  first.database.close()
  const second = open(t, path)
  assert.equal(createJobStore(second.database).find('kept')?.mark, 7)
  assert.deepEqual([...first.lines, ...second.lines], [])
})

test('a second opening in another process is told that the database is locked, until the first one dies', async t => {
  const path = newPath()
  const child = startWriter(t, path, 'hold')
  await once(child.stdout!, 'data')
  lockedBy(path)()
  lockedBy(path)()
  assert.equal(child.exitCode, null)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual(open(t, path).lines, [])
})

test('a second opening in the same process is told so too, and leaves the first one its lock', async t => {
  const path = newPath()
  const { database } = open(t, path)
  lockedBy(path)()
  createJobStore(database).insert(runningJob(), 1)
  const child = startWriter(t, path, 'hold')
  child.stdout!.resume()
  const [code] = await once(child, 'exit')
  assert.notEqual(code, 0)
  assert.deepEqual(
    readdirSync(dirname(path)).filter(name => name.includes('corrupt')),
    [],
  )
})

test('its files are for their owner alone, whatever the umask', t => {
  const umask = process.umask(0)
  t.after(() => process.umask(umask))
  const path = newPath()
  const { database } = open(t, path)
  createJobStore(database).insert(runningJob(), 1)
  const names = readdirSync(dirname(path))
  assert.ok(names.includes('test.db') && names.includes('test.db-wal'))
  for (const name of names) assert.equal(modeOf(join(dirname(path), name)), 0o600, name)
})

test('a file that is no database is moved aside, loudly, and a new one is begun', t => {
  const path = newPath()
  writeFileSync(path, 'garbage'.repeat(1000))
  const { database, lines } = open(t, path)
  assert.equal(lines.length, 1)
  const [{ level, fields, message }] = lines as [(typeof lines)[0]]
  assert.equal(level, 'error')
  assert.match(message, /CORRUPT/)
  const { movedTo } = fields as { movedTo: string }
  assert.equal(dirname(movedTo), dirname(path))
  assert.equal(readFileSync(movedTo, 'utf8'), 'garbage'.repeat(1000))
  assert.equal(modeOf(path), 0o600)
  createJobStore(database).insert(runningJob({ id: 'new' }), 1)
  assert.ok(createJobStore(database).find('new'))
  lockedBy(path)()
})

test('the -wal and the -shm of a corrupt file go with it, unchanged', t => {
  for (const suffix of ['-shm', '-wal']) {
    const path = newPath()
    writeFileSync(path, 'garbage'.repeat(1000))
    writeFileSync(path + suffix, suffix.repeat(1000))
    const { movedTo } = open(t, path).lines[0]!.fields as { movedTo: string }
    assert.ok(existsSync(movedTo + suffix), `${suffix} is gone`)
    assert.equal(readFileSync(movedTo + suffix, 'utf8'), suffix.repeat(1000))
  }
})

/** A sound, closed database with some pages of jobs. */
const filledFile = (t: TestContext): string => {
  const path = newPath()
  const { database } = open(t, path)
  const store = createJobStore(database)
  database.transaction(() => {
    for (let count = 0; count < 500; count++) store.insert(runningJob({ cmd: 'x'.repeat(200) }), 1)
  })
  database.close()
  assert.ok(statSync(path).size > 100_000)
  return path
}

const overwrite = (path: string, from: number, to: number): void => {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xa5, from, to))
}

const DAMAGES: Record<string, (path: string) => void> = {
  'a destroyed header': path => overwrite(path, 0, 100),
  'a destroyed schema': path => overwrite(path, 100, 4096),
  'the end missing': path => truncateSync(path, 50_000),
}
for (const [damage, apply] of Object.entries(DAMAGES)) {
  test(`a database with ${damage} is moved aside, not lost`, t => {
    const path = filledFile(t)
    apply(path)
    const damaged = readFileSync(path)
    const { database, lines } = open(t, path)
    assert.equal(lines.length, 1)
    const { movedTo } = lines[0]!.fields as { movedTo: string }
    assert.ok(readFileSync(movedTo).equals(damaged))
    assert.deepEqual(createJobStore(database).findRunning(), [])
  })
}

test('a database of a newer schema is refused, and what is in it is left as it is', t => {
  const path = newPath()
  open(t, path).database.close()
  const plain = new DatabaseSync(path)
  plain.exec("CREATE TABLE newer (what TEXT); INSERT INTO newer VALUES ('kept'); PRAGMA user_version = 99")
  plain.close()
  const opening = () => openDatabase(path, recordingLog().log)
  assert.throws(opening, error => {
    assert.ok(!(error instanceof DatabaseLockedError))
    assert.match((error as Error).message, /newer version.*99/)
    return true
  })
  assert.throws(opening, /newer version/) // Not "locked": the first attempt has closed it.
  assert.deepEqual(readdirSync(dirname(path)), ['test.db'])
  const again = new DatabaseSync(path)
  t.after(() => again.close())
  assert.equal(again.prepare('PRAGMA user_version').get()?.user_version, 99)
  assert.equal(again.prepare('SELECT what FROM newer').get()?.what, 'kept')
})

test('what cannot be opened at all is an error, and nothing is moved aside', () => {
  const directory = scratchDirectory()
  mkdirSync(join(directory, 'is-a-directory'))
  for (const path of [join(directory, 'missing/test.db'), join(directory, 'is-a-directory')]) {
    assert.throws(
      () => openDatabase(path, recordingLog().log),
      error => !(error instanceof DatabaseLockedError),
    )
  }
  assert.deepEqual(readdirSync(directory), ['is-a-directory'])
})

test('a transaction gives its result, or nothing of it is stored and the next one works', t => {
  const { database } = open(t, newPath())
  const store = createJobStore(database)
  assert.equal(
    database.transaction(() => store.insert(runningJob({ id: 'a' }), 1)),
    1,
  )
  const failing = () => {
    store.insert(runningJob({ id: 'b' }), 1)
    throw new Error('halfway')
  }
  assert.throws(() => database.transaction(failing), /^Error: halfway$/)
  assert.equal(store.find('b'), undefined)
  database.transaction(() => store.insert(runningJob({ id: 'c' }), 1))
  assert.ok(store.find('a') && store.find('c'))
})

test('what a process has stored survives when that process is killed in mid-write', async t => {
  const path = newPath()
  for (let round = 0; round < 5; round++) {
    const child = startWriter(t, path, 'write')
    const said: string[] = []
    const lines = createInterface({ input: child.stdout! })
    lines.on('line', line => {
      if (said.push(line) === 20 + round * 17) child.kill('SIGKILL')
    })
    await once(lines, 'close')
    const { database } = open(t, path)
    const check = database.prepare('PRAGMA integrity_check').all()
    assert.deepEqual(
      check.map(row => row.integrity_check),
      ['ok'],
    )
    const [jobs, outputs] = [createJobStore(database), createOutputStore(database)]
    assert.equal(said.shift(), 'open')
    assert.ok(said.length >= 19)
    for (const id of said) {
      const chunks = [...outputs.read(jobs.find(id)!.number)]
      assert.deepEqual(
        chunks.map(({ bytes }) => Buffer.from(bytes).toString()),
        [id],
      )
    }
    database.close()
  }
})

test('space is given back in pieces and the log is written ahead', t => {
  const { database } = open(t, newPath())
  assert.equal(database.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum, 2)
  assert.equal(database.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal')
  assert.ok(existsSync(`${database.prepare('PRAGMA database_list').get()?.file}-wal`))
})

test('no statement has a bare limit or pattern, for which SQLite would compile it anew each time', () => {
  const directory = join(import.meta.dirname, '../../../../lib/store/sqlite')
  const files = readdirSync(directory).map(name => readFileSync(join(directory, name), 'utf8'))
  assert.match(files.join('\n'), /\$\{LIMIT\}/)
  const statements = files.join('\n').replaceAll(/bare `LI\w+ \?`/g, '')
  assert.doesNotMatch(statements, /LI(MIT|KE)\s+\?/)
})
