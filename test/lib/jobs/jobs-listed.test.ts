import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createTestJobs, requestOf } from '../../support/jobs.ts'
import { waitFor } from '../../support/wait-for.ts'

const agent = createTestJobs({ limit: 1 })
const { service, jobs } = agent
after(agent.close)

test('a job by its id is as a list has it while it runs, at its end, later, and when it was rejected', async () => {
  const assertListed = async (id: string, state: string) => {
    const listed = (await service.list({ limit: 200 })).find(({ job }) => job.id === id)
    assert.deepEqual(service.listed(id), listed)
    assert.equal(listed?.job.state, state)
  }
  const id = await agent.start({ cmd: 'echo out; sleep 300 & sleep 300' })
  await waitFor('it has written', () => service.listed(id)?.output.stdoutBytes === 4)
  await assertListed(id, 'running')
  await assertListed((await jobs.submit(requestOf({ cmd: 'true' }))).id, 'rejected')

  const ends: unknown[] = []
  agent.events.subscribe(({ kind, job }) => void ends.push([kind, service.listed(job.id)?.job.state]))
  await jobs.cancel(id, 0)
  assert.deepEqual(ends, [['ended', 'canceled']], 'whoever is told of the end finds a job that has ended')
  await assertListed(id, 'canceled')
  await new Promise(setImmediate)
  await assertListed(id, 'canceled')
  assert.equal(service.listed('0'.repeat(32)), undefined)
})
