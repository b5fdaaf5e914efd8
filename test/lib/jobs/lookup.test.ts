import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ActiveJob } from '../../../lib/jobs/active-job.ts'
import { createJobLookup } from '../../../lib/jobs/lookup.ts'
import { fakeProcesses } from '../../support/fake-processes.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

test('a job that runs is listed as it is now, and the store is not asked for it', () => {
  const job = runningJob()
  const capture = { totals: () => NO_OUTPUT } as ActiveJob['capture']
  const asked: string[] = []
  const lookup = createJobLookup({
    active: new Map([[job.id, { job, capture } as ActiveJob]]),
    lifecycle: { findUnstored: () => undefined, recordStarts() {} },
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

test('whoever is told of a running job has its start recorded before, in each way of telling', async () => {
  const job = runningJob({ pid: 7 })
  const ended = endOf(runningJob())
  const capture = { totals: () => NO_OUTPUT, refresh() {} } as ActiveJob['capture']
  const activeOf = (one: ActiveJob['job']) =>
    ({ number: 1, job: one, capture, execution: { mark: 1 } }) as ActiveJob
  const stored = [job, ended].map(one => ({ number: 1, mark: 1, job: one, totals: NO_OUTPUT }))
  let recorded = 0
  const lookup = createJobLookup({
    active: new Map([job, ended].map(one => [one.id, activeOf(one)])),
    lifecycle: { findUnstored: () => undefined, recordStarts: () => void recorded++ },
    jobStore: {
      find: () => undefined,
      list: ({ states }) => ({
        jobs: stored.filter(one => states?.includes(one.job.state)),
        next: undefined,
      }),
    },
    processes: fakeProcesses([]).processes,
  })
  const ways = (one: ActiveJob['job']) => [
    () => lookup.told(activeOf(one)),
    () => lookup.listed(one.id),
    () => lookup.list({ states: [one.state], limit: 9 }),
    () => lookup.processesOf(lookup.find(one.id)!),
  ]
  for (const [one, times] of [
    [job, 1],
    [ended, 0],
  ] as const) {
    for (const tell of ways(one)) {
      recorded = 0
      await tell()
      assert.equal(recorded, times, String(tell))
    }
  }
})
