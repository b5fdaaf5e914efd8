import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Database, openDatabase } from '../../../../lib/store/sqlite/database.ts'
import { createRoom } from '../../../../lib/store/sqlite/room.ts'
import { fakeDisk } from '../../../support/fake-disk.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { scratchDirectory } from '../../../support/scratch.ts'
import { waitFor } from '../../../support/wait-for.ts'

const open = (t: TestContext, replaced: Partial<Database> = {}) => {
  const { log, lines } = recordingLog()
  const database = openDatabase(join(scratchDirectory(), 'test.db'), log)
  const fill = database.prepare(
    'INSERT INTO outputs (job, seq, stream, time, position, stream_position, bytes) VALUES (1, ?, 1, 0, 0, 0, zeroblob(1 << 20))',
  )
  const room = createRoom({ database: { ...database, ...replaced }, log, intervalMs: 5 })
  t.after(() => {
    room.close()
    database.close()
  })
  let seq = 0
  return {
    room,
    path: database.path,
    lines,
    write: (megabytes: number) => {
      for (let n = 0; n < megabytes; n++) fill.run(++seq)
      room.spend(megabytes << 20)
    },
    logBytes: () => statSync(`${database.path}-wal`).size,
    bytes: () => statSync(database.path).size,
  }
}

test('a large log is moved into the database by itself, a small one when it is asked for', async t => {
  const { room, write, logBytes, bytes } = open(t)
  write(1)
  const small = logBytes()
  assert.ok(small > 1 << 20)
  assert.equal(await room.checkpoint(), true)
  assert.equal(logBytes(), 0)
  const before = bytes()
  write(17)
  await waitFor('it is moved', () => logBytes() === 0)
  assert.ok(bytes() > before + (16 << 20))
})

test('where the database would grow into the last room of the disk, its log stays where it is', async t => {
  const { room, write, logBytes, lines } = open(t, { bytes: () => 2 ** 60 })
  await waitFor('the room is measured', () => !room.isThere())
  write(17)
  assert.equal(await room.checkpoint(), false)
  assert.ok(logBytes() > 16 << 20)
  assert.deepEqual(lines, [])
})

test('what is free is counted in the blocks of the file system', async t => {
  fakeDisk(t, { freeBytes: 2 << 20 })
  const { room } = open(t)
  await waitFor('the room is measured', () => !room.isThere())
})

test('where it does not grow, a full disk is no hindrance', async t => {
  const { room, write, logBytes } = open(t, { bytes: () => 0 })
  write(1)
  assert.equal(await room.checkpoint(), true)
  assert.equal(logBytes(), 0)
})

test('what is about to be written counts at once, until the room is measured again', async t => {
  const { room } = open(t)
  await waitFor('the room is measured', () => {
    room.spend(2 ** 60)
    return !room.isThere()
  })
  await waitFor('the room is measured again', room.isThere)
})

test('a fault is told in the log, and nothing is moved once it is closed', async t => {
  const fail = () => {
    throw new Error('disk I/O error')
  }
  const { room, lines, write } = open(t, { checkpoint: fail })
  write(1)
  assert.equal(await room.checkpoint(), false)
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [['error', 'the log of the database could not be moved into it']],
  )
  assert.equal(await room.checkpoint(), false)
  assert.equal(lines.length, 1) // It is told once.
  room.close()
  await room.checkpoint()
  assert.equal(lines.length, 1)
})

test('moving the log leaves the database locked for this process', async t => {
  const { room, write, path } = open(t)
  write(1)
  assert.equal(await room.checkpoint(), true)
  const program = `
    import { openDatabase } from '${join(import.meta.dirname, '../../../../lib/store/sqlite/database.ts')}'
    try { openDatabase('${path}', { info() {}, error() {} }) } catch (error) { console.log(error.constructor.name) }`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  assert.equal(stdout.trim(), 'DatabaseLockedError')
})
