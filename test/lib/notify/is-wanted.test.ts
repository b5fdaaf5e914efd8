import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobEvent } from '../../../lib/jobs/events.ts'
import { NOTIFY_ON, type NotifyOn } from '../../../lib/jobs/job.ts'
import { isWanted } from '../../../lib/notify/is-wanted.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

const job = runningJob()
const ended = (state: 'success' | 'failed' | 'canceled'): JobEvent => ({
  kind: 'ended',
  job: endOf(job, { state }),
  totals: NO_OUTPUT,
})
const rejected: JobEvent = { kind: 'rejected', job: { ...job, state: 'rejected', error: '' }, running: 5 }

test('an end is told by what it is, and by being one; a rejection is no end', () => {
  const wanted = (event: JobEvent): NotifyOn[] => NOTIFY_ON.filter(on => isWanted([on], event))
  assert.deepEqual(wanted({ kind: 'created', job }), [])
  assert.deepEqual(wanted({ kind: 'started', job }), ['started'])
  assert.deepEqual(wanted(ended('success')), ['ended', 'success'])
  assert.deepEqual(wanted(ended('failed')), ['ended', 'failed'])
  assert.deepEqual(wanted(ended('canceled')), ['ended', 'canceled'])
  assert.deepEqual(wanted(rejected), ['rejected'])
  assert.equal(isWanted(['started', 'failed'], ended('failed')), true)
})
