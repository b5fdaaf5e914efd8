import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createJobEvents } from '../../../lib/jobs/events.ts'
import type { RejectedJob } from '../../../lib/jobs/job.ts'
import { createHistory } from '../../../lib/metrics/history.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

const EVERY_MS = 15_000
const USE = { cpu: 0.5, residentBytes: 4096, load: 1.25 }
const NOTHING = { started: 0, ended: 0, failed: 0, rejected: 0 }

/** The time is how many samples were due so far. */
const create = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const events = createJobEvents(error => assert.fail(String(error)))
  const now = { time: 0, running: 0, use: USE }
  const history = createHistory({
    events,
    now: () => now.time,
    running: () => now.running,
    use: () => now.use,
  })
  const pass = (count: number): void => {
    for (; count > 0; count--) {
      now.time++
      t.mock.timers.tick(EVERY_MS)
    }
  }
  return { events, history, now, pass }
}

const { pid: _pid, startTime: _startTime, ...facts } = runningJob()
const rejected: RejectedJob = { ...facts, state: 'rejected', error: '' }

test('the first sample is there at once, and another every 15 seconds, not earlier', t => {
  const { history, now } = create(t)
  now.running = 3
  now.use = { cpu: 0, residentBytes: 1, load: 0 }
  const first = { time: 0, running: 0, ...NOTHING, ...USE }
  assert.deepEqual(history.read(), { everyMs: EVERY_MS, samples: [first] })
  now.time = 7
  t.mock.timers.tick(EVERY_MS - 1)
  assert.equal(history.read().samples.length, 1)
  t.mock.timers.tick(1)
  const second = { time: 7, running: 3, ...NOTHING, ...now.use }
  assert.deepEqual(history.read().samples, [first, second])
})

test('each sample counts the jobs that have started, ended, failed and were rejected since the one before', t => {
  const { events, history, pass } = create(t)
  const job = runningJob({ startTime: runningJob().createTime })
  events.emit({ kind: 'created', job })
  for (let n = 0; n < 4; n++) events.emit({ kind: 'started', job })
  for (const state of ['success', 'failed', 'canceled'] as const)
    events.emit({ kind: 'ended', job: endOf(job, { state }), totals: NO_OUTPUT })
  for (let n = 0; n < 2; n++) events.emit({ kind: 'rejected', job: rejected, running: 5 })
  pass(1)
  events.emit({ kind: 'ended', job: endOf(job), totals: NO_OUTPUT })
  pass(2)
  assert.deepEqual(
    history.read().samples.map(({ started, ended, failed, rejected }) => [started, ended, failed, rejected]),
    [
      [0, 0, 0, 0],
      [4, 3, 1, 2],
      [0, 1, 0, 0],
      [0, 0, 0, 0],
    ],
  )
})

test('the samples of an hour are kept, the oldest first, however long the agent runs', t => {
  const { history, pass } = create(t)
  const times = () => history.read().samples.map(({ time }) => time)
  const from = (first: number) => Array.from({ length: 240 }, (_, n) => first + n)
  pass(239)
  assert.deepEqual(times(), from(0))
  pass(1)
  assert.deepEqual(times(), from(1))
  pass(100)
  assert.deepEqual(times(), from(101))
  pass(140)
  assert.deepEqual(times(), from(241))
})

test('one that is closed takes no more samples, and listens to nothing', t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let listening = 0
  const subscribe = () => {
    listening++
    return () => void listening--
  }
  const history = createHistory({ events: { subscribe }, now: () => 0, running: () => 0, use: () => USE })
  assert.equal(listening, 1)
  history.close()
  t.mock.timers.tick(EVERY_MS)
  assert.deepEqual([listening, history.read().samples.length], [0, 1])
})

test('it keeps no process alive', t => {
  const before = process.getActiveResourcesInfo()
  const history = createHistory({
    events: createJobEvents(() => {}),
    now: () => 0,
    running: () => 0,
    use: () => USE,
  })
  t.after(history.close)
  assert.deepEqual(process.getActiveResourcesInfo(), before)
})
