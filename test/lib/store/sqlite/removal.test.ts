import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { createRecentJobs } from '../../../../lib/store/sqlite/recent-jobs.ts'
import { createRemoval } from '../../../../lib/store/sqlite/removal.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'

/** Stores an ended job with so many rows of output; returns its number. */
const jobWithRows = (database: Database, id: string, rows: number, size = 1): number => {
  const jobs = createJobStore(database)
  const job = runningJob({ id })
  const number = jobs.insert(job, 1)
  const bytes = new Uint8Array(size)
  // Not through the store of outputs, which puts several chunks into a row.
  const insert = database.prepare(`
    INSERT INTO outputs (job, seq, stream, time, position, stream_position, bytes) VALUES (?, ?, 1, 1, ?, ?, ?)`)
  for (let seq = 1; seq <= rows; seq++) insert.run(number, seq, (seq - 1) * size, (seq - 1) * size, bytes)
  jobs.finish(endOf(job), NO_OUTPUT, rows * size)
  createRecentJobs(database).moveEnded()
  return number
}

const rowsOf = (database: Database, job: number): number =>
  (database.prepare('SELECT count(*) AS rows FROM outputs WHERE job = ?').get(job) as { rows: number }).rows

const remove = (removal: ReturnType<typeof createRemoval>, number: number): void => {
  if (!removal.remove(number)) removal.removeRestLater(number)
}

test('a job with a short output is gone at once, and its output with it', () => {
  const database = scratchDatabase()
  const [number, other] = [jobWithRows(database, 'a', 3), jobWithRows(database, 'b', 3)]
  const removal = createRemoval(database)
  remove(removal, number)
  assert.equal(createJobStore(database).find('a'), undefined)
  assert.deepEqual([rowsOf(database, number), rowsOf(database, other)], [0, 3])
  assert.equal(removal.removeMore(), false)
})

test('a long output goes in bounded steps; its job is not found from the first of them on', () => {
  const database = scratchDatabase()
  const number = jobWithRows(database, 'a', 3500)
  const removal = createRemoval(database)
  remove(removal, number)
  assert.equal(createJobStore(database).find('a'), undefined)
  const left = [rowsOf(database, number)]
  while (removal.removeMore()) left.push(rowsOf(database, number))
  assert.deepEqual(left, [2500, 1500, 500, 0])
})

test('an output of few large rows goes in steps that are bounded in bytes', () => {
  const database = scratchDatabase()
  const number = jobWithRows(database, 'a', 20, 1 << 20)
  const removal = createRemoval(database)
  remove(removal, number)
  const first = rowsOf(database, number)
  assert.ok(first > 10 && first < 20, `${first} rows are left`)
  while (removal.removeMore());
  assert.equal(rowsOf(database, number), 0)
})

test('what is left of an output when the agent is lost is no other job’s, and the next agent removes it', () => {
  const database = scratchDatabase()
  const whole = jobWithRows(database, 'whole', 5)
  const [first, second] = [jobWithRows(database, 'a', 1500), jobWithRows(database, 'b', 2500)]
  const lost = createRemoval(database)
  remove(lost, first)
  remove(lost, second)

  const next = createRemoval(database)
  const number = createJobStore(database).insert(runningJob({ id: 'new' }), 1)
  assert.equal(number, second + 1)
  while (next.removeMore());
  assert.deepEqual(
    [whole, first, second].map(job => rowsOf(database, job)),
    [5, 0, 0],
  )
})
