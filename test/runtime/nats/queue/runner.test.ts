import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { isFinal, type QueuedJob } from '../../../../lib/fleet/queue/queued-job.ts'
import type { QueueRecords } from '../../../../lib/fleet/queue/records.ts'
import type { JobEvent } from '../../../../lib/jobs/events.ts'
import { createDelivery } from '../../../../runtime/nats/queue/delivery.ts'
import { createLeaseTurns } from '../../../../runtime/nats/queue/lease-turns.ts'
import { createRunner } from '../../../../runtime/nats/queue/runner.ts'
import { createSlots } from '../../../../runtime/nats/queue/slots.ts'
import { endOf } from '../../../lib/fleet/queue/sample.ts'
import { rawMessage } from '../../../support/raw-queue-message.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { waitFor } from '../../../support/wait-for.ts'

const JOB = '01a21e2de5fb700b9cdf2fcb0b55e47b'

/** A runner with one record, an engine that notes what it is told, and jobs that begin at once and end by hand. */
const setUp = () => {
  let record: QueuedJob | undefined
  let isAway = false
  let troubles = 0
  const told: string[] = []
  const connection = {
    publish: (_: string, word: string) => void told.push(word),
  } as unknown as NatsConnection
  const there = () => {
    if (isAway) throw new Error('the engine is away')
  }
  const records: QueueRecords = {
    async get() {
      there()
      return { job: record, revision: 1, writtenAt: 0 }
    },
    async set(job) {
      there()
      record = job
      return 1
    },
    async change(_id, make) {
      there()
      const changed = record && make(record)
      record = changed ?? record
      return record && { job: record, isChanged: changed !== undefined }
    },
  }
  let emit = (_: JobEvent): void => {}
  const slots = createSlots(
    () => 1,
    () => {},
  )
  const runner = createRunner({
    host: 'db1',
    records,
    turns: createLeaseTurns({ leases: { acquire: async () => undefined }, slots, isLeaving: () => false }),
    async submit(_message, _label, queued) {
      emit({ kind: 'created', job: { id: JOB, queue: queued } } as JobEvent)
      return { jobId: JOB }
    },
    find: () => undefined,
    ended: () => Promise.resolve(),
    connectionNumber: () => 0,
    events: {
      subscribe(listener) {
        emit = listener
        return () => {}
      },
    },
    deadLetter: async () => {},
    onTrouble: () => void troubles++,
    count() {},
    log: recordingLog().log,
  })
  const take = async (id: string): Promise<void> => {
    const { headers, body } = rawMessage({ id, cmd: 'true' })
    const message = {
      headers,
      data: new TextEncoder().encode(body),
      reply: '$JS.ACK.NEWDT_QUEUE.role=db.1.1.1.1.0',
    } as unknown as Msg
    const from = {
      name: 'role=db',
      label: { name: 'role', value: 'db' },
      priority: 'normal' as const,
      ackWaitMs: 60,
    }
    await runner.take(
      createDelivery(() => connection, message, from),
      slots.promise(),
    )
  }
  return {
    runner,
    take,
    told,
    record: () => record,
    troubles: () => troubles,
    engine(isThere: boolean): void {
      isAway = !isThere
    },
  }
}

test('an end that could not be recorded is recorded by its run, whoever else has given it up', async () => {
  const own = setUp()
  await own.take('queued-job-1')
  await waitFor('it runs', () => own.record()?.runs[0]?.job === JOB)
  own.engine(false)
  await assert.rejects(own.runner.recordEnd('queued-job-1', 1, JOB, endOf()))
  assert.equal(own.record()?.state, 'running')
  assert.ok(own.troubles() > 0)
  own.engine(true)
  await waitFor('it is recorded', () => own.record() && isFinal(own.record()!))
  await waitFor('it is acknowledged', () => own.told.includes('+ACK'))
  assert.equal(own.runner.countLive(), 0)
  own.runner.close()
})
