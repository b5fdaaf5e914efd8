import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import type { AgentClient } from '../../../../lib/client/client.ts'
import { canceledInQueue, claimed, died, runEnded, startedAs } from '../../../../lib/fleet/queue/changes.ts'
import { createQueue } from '../../../../lib/fleet/queue/create-queue.ts'
import { RECORD_BUCKET } from '../../../../lib/fleet/queue/engine-names.ts'
import type { QueueRecords } from '../../../../lib/fleet/queue/records.ts'
import { createRecords } from '../../../../lib/fleet/queue/records.ts'
import { SECRET } from '../../../support/agent.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../../support/nats-server.ts'
import { AT, endOf, waitingJob } from './sample.ts'

const JOB_ID = '603883de4a9545b3ab1fe80c40c9de90'

describe('a queued job that is canceled', NATS_TEST, () => {
  let engine: NatsServer
  let connection: NatsConnection
  let records: QueueRecords
  let count = 0
  before(async () => {
    engine = await startNatsServer()
    connection = await connect({ servers: engine.url })
    records = createRecords(await new Kvm(connection).create(RECORD_BUCKET))
  })
  after(async () => {
    await connection?.close()
    await engine?.end()
  })

  const waiting = () => waitingJob({ id: `queued-job-${count++}` })
  const running = () => startedAs(claimed(waiting(), 'db1', AT)!, 1, JOB_ID)!

  /** What comes of a cancel, and the jobs that agents were told to end; each of them tells of its end. */
  const cancel = async (id: string) => {
    const told: string[] = []
    const client = (host: string) =>
      ({
        job: (jobId: string) => ({
          async cancel({ grace }: { grace?: string }) {
            told.push(`${host} ${jobId} ${grace}`)
            await records.change(id, job => runEnded(job, 1, { ...endOf('canceled'), state: 'canceled' }))
            return { ok: true, value: {} }
          },
        }),
      }) as unknown as Pick<AgentClient, 'job'>
    const queue = createQueue(connection, { credentials: { secret: SECRET } })
    const result = await queue.cancel(id, { client, grace: '3s' })
    return { told, result, word: result.ok ? result.value.state : result.error.word }
  }

  test('is taken out of the queue while it waits, and no agent is told', async () => {
    const job = waiting()
    await records.set(job, 0)
    const { told, word } = await cancel(job.id)
    assert.deepEqual([told, word], [[], 'canceled'])
    assert.equal((await records.get(job.id)).job?.state, 'canceled')
  })

  test('is ended by its agent while it runs, and the end of that is its own', async () => {
    const job = running()
    await records.set(job, 0)
    const { told, word, result } = await cancel(job.id)
    assert.deepEqual([told, word], [[`db1 ${JOB_ID} 3s`], 'ended'])
    assert.equal(result.ok && result.value.runs[0]?.end?.state, 'canceled')
  })

  test('stays as it is once it has an end: that is said, and no agent is told', async () => {
    const ended = runEnded(running(), 1, endOf())!
    const dead = died(running(), 'lost', AT)!
    const canceled = canceledInQueue(waiting(), AT)!
    for (const job of [ended, dead, canceled]) {
      await records.set(job, 0)
      const { told, word, result } = await cancel(job.id)
      assert.deepEqual([told, word], [[], 'job-ended'], job.state)
      assert.equal(!result.ok && result.error.status, 409)
      assert.deepEqual((await records.get(job.id)).job, job)
    }
  })

  test('is none where there is no record, and no id may be anything else', async () => {
    for (const id of ['no-such-job', 'short', '>', 'a.b.c.d.e', ''])
      assert.deepEqual(await cancel(id).then(({ told, word }) => [told, word]), [[], 'unknown-job'], id)
  })
})
