import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentClient, JobQuery } from '../../../../lib/client/client.ts'
import { NO_FILTER } from '../../../../runtime/console/jobs/filter.ts'
import type { JobFeed, JobFeedListener } from '../../../../runtime/console/jobs/job-feed.ts'
import { createJobsMemory } from '../../../../runtime/console/jobs/jobs-memory.ts'
import type { Session } from '../../../../runtime/console/session.ts'
import { waitFor } from '../../../support/wait-for.ts'
import { lifeOf } from './listed-job.ts'

const createMemory = () => {
  const queries: JobQuery[] = []
  const listeners = new Set<JobFeedListener>()
  const list: AgentClient['list'] = async (query = {}) => {
    queries.push(query)
    return { ok: true, value: [lifeOf(1).ended] }
  }
  const feed: Pick<JobFeed, 'begun' | 'subscribe'> = {
    begun: Promise.resolve(),
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const session = { client: { list } }
  const memory = createJobsMemory(session as Session, feed as JobFeed)
  return { memory, queries, listeners }
}

const FAILED = { ...NO_FILTER, state: 'failed' }
const CANCELED = { ...NO_FILTER, state: 'canceled' }

test('asking for a list reads nothing; following it reads it once, however often one comes back', async () => {
  const { memory, queries, listeners } = createMemory()
  const { list } = memory.listFor(NO_FILTER)
  assert.equal(memory.listFor({ ...NO_FILTER }).list, list)
  assert.deepEqual([queries.length, listeners.size], [0, 0])
  memory.follow(list)
  memory.follow(list)
  await waitFor('it is read', () => list.isRead.value)
  assert.deepEqual([queries.length, listeners.size], [1, 1])
})

test('the list of another filter takes the place of the one before, which is shown until it is read', async () => {
  const { memory, listeners } = createMemory()
  const { list: first, before } = memory.listFor(NO_FILTER)
  assert.equal(before, undefined)
  memory.follow(first)
  await waitFor('it is read', () => first.isRead.value)
  const second = memory.listFor(FAILED)
  memory.follow(second.list)
  assert.equal(second.before, first)
  assert.equal(listeners.size, 1)
  // One that was never read is not worth to be shown.
  assert.equal(memory.listFor(CANCELED).before, first)
})

test('nothing is followed any more when one has signed out', async () => {
  const { memory, listeners } = createMemory()
  const { list } = memory.listFor(NO_FILTER)
  memory.follow(list)
  memory.close()
  assert.equal(listeners.size, 0)
})
