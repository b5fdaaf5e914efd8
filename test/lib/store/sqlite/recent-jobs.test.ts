import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { createOutboxStore } from '../../../../lib/store/sqlite/outbox.ts'
import { createRecentJobs } from '../../../../lib/store/sqlite/recent-jobs.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'

const harness = () => {
  const database = scratchDatabase()
  const { log, lines } = recordingLog()
  const recent = createRecentJobs(database, log)
  const store = createJobStore(database, undefined, recent)
  const count = (table: string) => database.prepare(`SELECT count(*) AS jobs FROM ${table}`).get()!.jobs
  const run = (job = runningJob()) => {
    store.insert(job, 1)
    store.finish(endOf(job), NO_OUTPUT, 0)
    return job.id
  }
  return { database, recent, store, lines, run, counts: () => [count('recent_jobs'), count('jobs')] }
}

test('jobs that have ended are moved many at a time, after the turn of the loop; those that run stay', async t => {
  const { recent, store, run, counts } = harness()
  t.after(recent.close)
  const running = runningJob()
  store.insert(running, 7)
  for (let n = 0; n < 31; n++) run()
  await setImmediate()
  assert.deepEqual(counts(), [32, 0])
  const last = run()
  assert.deepEqual(counts(), [33, 0])
  await setImmediate()
  assert.deepEqual(counts(), [1, 32])
  assert.deepEqual(
    store.findRunning().map(({ job }) => job.id),
    [running.id],
  )
  assert.equal(store.find(last)?.job.state, 'success')
})

test('a job is the same before and after it is moved: found, listed, by its key, with its labels', async t => {
  const { recent, store, counts } = harness()
  t.after(recent.close)
  const job = runningJob({ labels: { env: 'prod' }, caller: 'alice', cmd: 'x'.repeat(5000) })
  const rejected = { ...runningJob(), state: 'rejected' as const, error: 'full' }
  store.insert(job, 7, { key: 'k', requestHash: Uint8Array.of(1) })
  store.finish(endOf(job), { stdoutBytes: 3, stderrBytes: 2, keptBytes: 5 }, 77)
  store.insert(rejected, 0)
  const seen = () => [
    store.find(job.id),
    store.find(rejected.id),
    store.findByKey('k'),
    store.list({ limit: 9 }),
    store.list({ limit: 9, labels: ['env=prod'], caller: 'alice', states: ['success'], text: 'xx' }),
    store.list({ limit: 9, states: ['rejected', 'failed'] }),
  ]
  const before = seen()
  assert.deepEqual(counts(), [2, 0])
  recent.moveEnded()
  assert.deepEqual(counts(), [0, 2])
  assert.deepEqual(seen(), before)
})

test('one that has run for long is moved when it has ended, also after jobs that began later', async t => {
  const { recent, store, run, counts } = harness()
  t.after(recent.close)
  const [first, second] = [runningJob(), runningJob()]
  for (const job of [first, second]) store.insert(job, 7)
  for (let n = 0; n < 32; n++) run()
  await setImmediate()
  assert.deepEqual(counts(), [2, 32])
  store.finish(endOf(second), NO_OUTPUT, 0)
  store.finish(endOf(first), NO_OUTPUT, 0)
  for (let n = 0; n < 30; n++) run()
  await setImmediate()
  assert.deepEqual(counts(), [0, 64])
})

test('those that an agent has left are moved by the next one', () => {
  const { database, recent, run, counts } = harness()
  recent.close()
  run()
  assert.deepEqual(counts(), [1, 0])
  createRecentJobs(database)
  assert.deepEqual(counts(), [0, 1])
})

test('when they cannot be moved they stay, which is told once, and the end of the next job tries again', async t => {
  const { database, recent, store, lines, run, counts } = harness()
  t.after(recent.close)
  database
    .prepare(
      `CREATE TRIGGER full BEFORE INSERT ON jobs BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END`,
    )
    .run()
  const ids = Array.from({ length: 32 }, () => run())
  await setImmediate()
  assert.deepEqual(counts(), [32, 0])
  assert.equal(store.find(ids[0]!)?.job.state, 'success')
  run()
  await setImmediate()
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['jobs that have ended could not be moved; it is tried again'],
  )
  database.prepare('DROP TRIGGER full').run()
  run()
  await setImmediate()
  assert.deepEqual(counts(), [0, 34])
})

test('what a job tells others stays when it is moved', t => {
  const { database, recent, run } = harness()
  t.after(recent.close)
  const outbox = createOutboxStore(database)
  const id = run()
  const entry = { id: `${id}.ended`, jobId: id, kind: 'ended' as const, payload: '{}', createdAt: 1 }
  outbox.addWith([{ ...entry, sink: 'callback', target: 'http://a/x', origin: 'http://a' }], () => {})
  const [due] = outbox.due('callback', 'http://a', Number.MAX_SAFE_INTEGER, 9)
  outbox.settle(due!.number, { state: 'delivered', atMs: 5 })
  recent.moveEnded()
  assert.deepEqual(
    outbox.ofJob(id, 'callback').map(({ state }) => state),
    ['delivered'],
  )
})

test('an agent on a full disk starts with those that it cannot move, and one that ends in order moves them', async () => {
  const { database, recent, store, run, counts } = harness()
  const ids = [run(), run()]
  database
    .prepare(
      `CREATE TRIGGER full BEFORE INSERT ON jobs BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END`,
    )
    .run()
  recent.close()
  assert.deepEqual(counts(), [2, 0])
  const { log, lines } = recordingLog()
  const next = createRecentJobs(database, log)
  assert.equal(lines.length, 1)
  assert.equal(store.find(ids[0]!)?.job.state, 'success')
  database.prepare('DROP TRIGGER full').run()
  next.ended(run())
  await setImmediate()
  assert.deepEqual(counts(), [0, 3], 'it is tried again with the next end')
  next.ended(run())
  next.close()
  assert.deepEqual(counts(), [0, 4])
})
