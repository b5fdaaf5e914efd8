import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createJobEvents } from '../../../lib/jobs/events.ts'
import { createLifecycle } from '../../../lib/jobs/lifecycle.ts'
import { createJobStore } from '../../../lib/store/sqlite/jobs.ts'
import { createOutboxStore } from '../../../lib/store/sqlite/outbox.ts'
import { createCompose } from '../../../runtime/notify/compose.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'
import { scratchDatabase } from '../../support/scratch-database.ts'

const ORIGIN = 'https://ci.example.com'

/** A lifecycle on a real store, which takes no entries of the outbox while it is told so. */
const createHarness = () => {
  const database = scratchDatabase()
  const jobStore = createJobStore(database)
  const outbox = createOutboxStore(database)
  const of = createCompose({ host: 'db1', hasCallbacks: true, everyJob: undefined, hasFleet: false })
  const lifecycle = createLifecycle({
    jobStore,
    outputStore: { storedBytes: () => 0 },
    retention: { added() {} },
    ballast: { isHeld: () => true, giveUp: () => false },
    events: createJobEvents(error => assert.fail(String(error))),
    outgoing: { of, store: outbox },
    log: recordingLog().log,
  })
  const job = runningJob({ id: 'a', notify: { url: `${ORIGIN}/`, on: ['started', 'ended', 'rejected'] } })
  return {
    lifecycle,
    job,
    state: () => jobStore.find('a')?.job.state,
    kinds: () => outbox.ofJob('a', 'callback').map(({ kind }) => kind),
    refuse: () => void database.prepare(REFUSE).run(),
    take: () => void database.prepare('DROP TRIGGER full').run(),
  }
}

const REFUSE = `
  CREATE TEMP TRIGGER full BEFORE INSERT ON outbox BEGIN
    SELECT RAISE(ABORT, 'database or disk is full');
  END`

test('an end is stored with its callback, or neither, and both as soon as the store takes them', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { lifecycle, job, state, kinds, refuse, take } = createHarness()
  const number = lifecycle.create(job, 7)
  lifecycle.start(job)
  assert.deepEqual([state(), kinds()], ['running', ['started']])
  refuse()
  lifecycle.end(number, endOf(job), NO_OUTPUT)
  t.mock.timers.tick(5000)
  assert.deepEqual(
    [state(), kinds(), lifecycle.findUnstored('a')?.job.state],
    ['running', ['started'], 'success'],
  )
  take()
  t.mock.timers.tick(1000)
  assert.deepEqual([state(), kinds()], ['success', ['started', 'ended']])
  assert.equal(lifecycle.findUnstored('a'), undefined)
})

test('a rejection is stored with its callback, or neither', () => {
  const { lifecycle, job, state, kinds, refuse, take } = createHarness()
  const { pid: _pid, startTime: _startTime, ...facts } = job
  refuse()
  lifecycle.reject({ ...facts, state: 'rejected', error: 'full' }, 5)
  assert.deepEqual([state(), kinds()], [undefined, []])
  take()
  lifecycle.reject({ ...facts, state: 'rejected', error: 'full' }, 5)
  assert.deepEqual([state(), kinds()], ['rejected', ['rejected']])
})
