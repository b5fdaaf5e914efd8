import assert from 'node:assert/strict'
import { test } from 'node:test'
import { now, runningMs } from '../../../runtime/console/time.ts'
import { endOf, runningJob, SOME_TIME } from '../../support/sample-jobs.ts'
import { listed } from './jobs/listed-job.ts'

const started = runningJob({ pid: 4321, startTime: SOME_TIME })

test('a job has run from its start to its end, or until now', () => {
  const ended = listed(endOf(started, { finishTime: SOME_TIME + 2_500_000 }))
  assert.equal(runningMs(ended), 2500)
  now.value = Math.floor(SOME_TIME / 1000) + 4000
  assert.ok(Math.abs(runningMs(listed(started))! - 4000) <= 1)
  now.value = 0 // The clocks differ.
  assert.equal(runningMs(listed(started)), 0)
})

test('a job that never ran has no duration: one not begun yet, and one that could not be started', () => {
  assert.equal(runningMs(listed(runningJob())), undefined)
  const unstarted = endOf(runningJob(), { pid: 0, state: 'failed', reason: 'start-failed' })
  assert.equal(runningMs(listed(unstarted)), undefined)
})
