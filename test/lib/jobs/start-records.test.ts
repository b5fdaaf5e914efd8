import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { RunningJob } from '../../../lib/jobs/job.ts'
import { createStartRecords } from '../../../lib/jobs/start-records.ts'
import { runningJob } from '../../support/sample-jobs.ts'

/** Starts that may wait for 20 ms, by a clock of the test; and the ids that were written together. */
const harness = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const written: string[][] = []
  const records = createStartRecords({ write: jobs => written.push(jobs.map(({ id }) => id)), lateMs: 20 })
  return {
    ...records,
    add: (id: string): RunningJob => {
      const job = runningJob({ id })
      records.add(job)
      return job
    },
    written,
    pass(ms: number): void {
      now += ms
      t.mock.timers.tick(ms)
    },
  }
}

test('each start waits for its own time, and those whose time has come go together', t => {
  const { add, written, pass } = harness(t)
  add('a')
  add('b')
  pass(15)
  add('c')
  pass(5)
  assert.deepEqual(written, [['a', 'b']])
  pass(14)
  assert.equal(written.length, 1)
  pass(1)
  assert.deepEqual(written, [['a', 'b'], ['c']])
  pass(1000)
  add('d')
  pass(20)
  assert.deepEqual(written.at(-1), ['d'])
})

test('the start of a job that has ended is not written', t => {
  const { add, forget, written, pass, flush } = harness(t)
  add('a')
  add('b')
  forget('a')
  pass(20)
  assert.deepEqual(written, [['b']])
  add('c')
  forget('c')
  pass(1000)
  flush()
  assert.equal(written.length, 1)
})

test('what is asked for is written at once, and not again', t => {
  const { add, flush, written, pass } = harness(t)
  add('a')
  pass(1)
  flush()
  assert.deepEqual(written, [['a']])
  pass(1000)
  flush()
  assert.equal(written.length, 1)
})
