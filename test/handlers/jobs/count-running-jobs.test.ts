import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFake, signed, succeeded } from '../fake-services.ts'

test('countOfRunningJobs answers the number of running jobs as a number, zero included', async () => {
  for (const running of [0, 2, 5]) {
    const fake = createFake({ jobs: { countRunning: () => running } })
    const { status, body } = await fake.ask(signed('/api/jobs/countOfRunningJobs'))
    assert.deepEqual({ status, body }, { status: 200, body: succeeded(running) })
    assert.deepEqual(fake.calls, [['countRunning']])
  }
})
