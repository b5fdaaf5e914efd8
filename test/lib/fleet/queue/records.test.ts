import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JetStreamApiError } from '@nats-io/jetstream'
import { canceledInQueue, claimed, died } from '../../../../lib/fleet/queue/changes.ts'
import type { QueuedJob } from '../../../../lib/fleet/queue/queued-job.ts'
import { createRecords } from '../../../../lib/fleet/queue/records.ts'
import { createFakeKv } from '../../../support/fake-kv.ts'
import { AT, waitingJob } from './sample.ts'

const JOB = waitingJob()

const setUp = () => {
  const bucket = createFakeKv()
  return { bucket, records: createRecords(bucket) }
}

test('of two who record a job that has no record one is the first, and the other is told', async () => {
  const { records } = setUp()
  const taken = claimed(JOB, 'db1', AT)!
  const revisions = await Promise.all([records.set(taken, 0), records.set(claimed(JOB, 'db2', AT)!, 0)])
  assert.equal(typeof revisions[0], 'number')
  assert.equal(revisions[1], undefined)
  assert.deepEqual((await records.get(JOB.id)).job, taken)
})

test('of two who have read the same record one changes it, and the other is told', async () => {
  const { records } = setUp()
  await records.set(JOB, 0)
  const [one, other] = await Promise.all([records.get(JOB.id), records.get(JOB.id)])
  const first = await records.set(claimed(JOB, 'db1', AT)!, one.revision)
  assert.ok(first! > one.revision)
  assert.equal(await records.set(claimed(JOB, 'db2', AT)!, other.revision), undefined)
  const { job, revision } = await records.get(JOB.id)
  assert.deepEqual([job?.runs.map(({ host }) => host), revision], [['db1'], first])
})

test('a change that somebody else was faster with is made anew of what is there by then', async () => {
  const { records } = setUp()
  await records.set(JOB, 0)
  const seen: string[] = []
  const changed = await records.change(JOB.id, job => {
    seen.push(job.state)
    // Somebody else records a run between the look and the change.
    if (seen.length === 1) void records.set(claimed(JOB, 'db1', AT)!, 1)
    return died(job, 'lost', AT)
  })
  assert.deepEqual(seen, ['waiting', 'running'])
  assert.equal(changed?.isChanged, true)
  assert.deepEqual([changed?.job.state, changed?.job.runs.length], ['dead', 1])
  assert.deepEqual((await records.get(JOB.id)).job, changed?.job)
})

test('of many ends at once exactly one is recorded', async () => {
  const { records } = setUp()
  await records.set(JOB, 0)
  const ends: ((job: QueuedJob) => QueuedJob | undefined)[] = [
    job => canceledInQueue(job, AT),
    job => died(job, 'expired', AT),
    job => died(job, 'lost', AT),
  ]
  const changes = await Promise.all(ends.map(end => records.change(JOB.id, end)))
  assert.equal(changes.filter(one => one?.isChanged).length, 1)
  const recorded = (await records.get(JOB.id)).job
  for (const one of changes) assert.deepEqual(one?.job, recorded)
})

test('a change of nothing writes nothing, and of no record is none', async () => {
  const { records } = setUp()
  assert.equal(await records.change(JOB.id, () => assert.fail('there is nothing to change')), undefined)
  const revision = await records.set(JOB, 0)
  assert.deepEqual(await records.change(JOB.id, () => undefined), { job: JOB, isChanged: false })
  assert.equal((await records.get(JOB.id)).revision, revision)
})

test('what changes again and again is given up, not tried without end', async () => {
  const { records, bucket } = setUp()
  await records.set(JOB, 0)
  await assert.rejects(
    records.change(JOB.id, job => {
      void bucket.put(JOB.id, JSON.stringify(JOB))
      return died(job, 'lost', AT)
    }),
    /again and again/,
  )
})

test('what was deleted, or is none of the job, has no record; its revision is known all the same', async () => {
  const { records, bucket } = setUp()
  const read = async () => {
    const { job, revision } = await records.get(JOB.id)
    return { job, revision }
  }
  assert.deepEqual(await read(), { job: undefined, revision: 0 })
  for (const text of ['no record', JSON.stringify(waitingJob({ id: 'another-job' }))]) {
    const revision = await bucket.put(JOB.id, text)
    assert.deepEqual(await read(), { job: undefined, revision })
  }
  await bucket.delete(JOB.id)
  const { job, revision } = await records.get(JOB.id)
  assert.equal(job, undefined)
  assert.ok((await records.set(JOB, revision))! > revision)
})

test('only a change by somebody else is none: what the engine refuses otherwise is an error', async () => {
  const full = new JetStreamApiError({ code: 503, err_code: 10_047, description: 'insufficient resources' })
  for (const error of [full, new Error('timeout')]) {
    const records = createRecords({ ...createFakeKv(), put: () => Promise.reject(error) })
    await assert.rejects(records.set(JOB, 0), error)
  }
  // In a cluster the engine says it in another way while it does not know the latest revision.
  const other = new JetStreamApiError({ code: 400, err_code: 10_164, description: 'wrong last sequence' })
  const records = createRecords({ ...createFakeKv(), put: () => Promise.reject(other) })
  assert.equal(await records.set(JOB, 0), undefined)
})
