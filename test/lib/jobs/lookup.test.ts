import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ActiveJob } from '../../../lib/jobs/active-job.ts'
import { createJobLookup } from '../../../lib/jobs/lookup.ts'
import { fakeProcesses } from '../../support/fake-processes.ts'
import { NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

test('a job that runs is listed as it is now, and the store is not asked for it', () => {
  const job = runningJob()
  const capture = { totals: () => NO_OUTPUT } as ActiveJob['capture']
  const asked: string[] = []
  const lookup = createJobLookup({
    active: new Map([[job.id, { job, capture } as ActiveJob]]),
    lifecycle: { findUnstored: () => undefined },
    jobStore: {
      find(id) {
        asked.push(id)
        return undefined
      },
      list: () => assert.fail('one job is not looked for in a list'),
    },
    processes: fakeProcesses([]).processes,
  })
  assert.deepEqual(lookup.listed(job.id), { job, output: NO_OUTPUT, livingLeftovers: 0 })
  assert.deepEqual(asked, [])
  const other = '0'.repeat(32)
  assert.equal(lookup.listed(other), undefined)
  assert.deepEqual(asked, [other])
})
