import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KvEntry } from '@nats-io/kv'
import { claimed, givenBack, runEnded, suspected } from '../../../../lib/fleet/queue/changes.ts'
import type { QueuedJob } from '../../../../lib/fleet/queue/queued-job.ts'
import { createRecords } from '../../../../lib/fleet/queue/records.ts'
import type { JobEvent } from '../../../../lib/jobs/events.ts'
import type { Delivery } from '../../../../runtime/nats/queue/delivery.ts'
import { createLeaseTurns } from '../../../../runtime/nats/queue/lease-turns.ts'
import { createRunner } from '../../../../runtime/nats/queue/runner.ts'
import { createSlots } from '../../../../runtime/nats/queue/slots.ts'
import type { Submit } from '../../../../runtime/nats/queue/submit.ts'
import { endOf } from '../../../lib/fleet/queue/sample.ts'
import { rawMessage } from '../../../support/raw-queue-message.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { waitFor } from '../../../support/wait-for.ts'

const ID = 'id-of-a-job'
const JOB_ID = 'a'.repeat(32)
const PUT = { operation: 'PUT', created: new Date() }
const AT = '2027-01-15T08:00:00.000Z'

/** A runner of `db1` with a bucket in memory; `slowly` is done after each record that it writes. */
const setUp = ({
  ackWaitMs,
  slowly = async () => {},
}: {
  ackWaitMs: number
  slowly?: () => Promise<void>
}) => {
  const bucket = { value: '', revision: 0 }
  const put = async (value: string, revision: number | undefined): Promise<number> => {
    assert.equal(revision, bucket.revision)
    bucket.value = value
    return ++bucket.revision
  }
  const records = createRecords({
    get: async () =>
      bucket.revision === 0
        ? null
        : ({ ...PUT, revision: bucket.revision, string: () => bucket.value } as KvEntry),
    async put(_, value, options) {
      const revision = await put(String(value), options?.previousSeq)
      await slowly()
      return revision
    },
  })
  const said: string[] = []
  const submitted: string[] = []
  const listeners = new Set<(event: JobEvent) => void>()
  const submit: Submit = async ({ id }) => {
    submitted.push(id)
    const event = { kind: 'created', job: { id: JOB_ID, queue: { id, try: 1 } } } as unknown as JobEvent
    for (const tell of listeners) tell(event)
    return { jobId: JOB_ID }
  }
  const slots = createSlots(
    () => 1,
    () => {},
  )
  const runner = createRunner({
    host: 'db1',
    records,
    turns: createLeaseTurns({ leases: { acquire: async () => undefined }, slots, isLeaving: () => false }),
    onTrouble: () => {},
    submit,
    find: () => undefined,
    ended: async () => {},
    connectionNumber: () => 0,
    deadLetter: async () => {},
    events: {
      subscribe(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    count: () => {},
    log: recordingLog().log,
  })
  const { headers, body } = rawMessage({ id: ID, cmd: 'true' })
  const delivery = {
    message: { headers, data: new TextEncoder().encode(body) },
    from: { name: 'role=db', label: { name: 'role', value: 'db' }, priority: 'normal', ackWaitMs },
    acknowledge: () => void said.push('ack'),
    giveBack: () => void said.push('nak'),
    inProgress: () => void said.push('wpi'),
  } as unknown as Delivery
  const read = (): QueuedJob => JSON.parse(bucket.value || '{"runs":[]}')
  return {
    runner,
    said,
    submitted,
    read,
    take: () => runner.take(delivery, slots.promise()),
    delivery,
    /** As if the bucket was deleted. */
    lose(): void {
      bucket.revision = 0
      bucket.value = ''
    },
    /** Somebody else does it. */
    change: (make: (job: QueuedJob) => QueuedJob | undefined) =>
      put(JSON.stringify(make(read())), bucket.revision),
  }
}

const hasJob = (job: QueuedJob): boolean => job.runs[0]?.job === JOB_ID

test('an agent whose run ends by its own end says nothing of a message that another one has by then', async () => {
  const own = setUp({ ackWaitMs: 600_000 })
  await own.take()
  await waitFor('it runs', () => hasJob(own.read()))
  await own.change(job => claimed(job, 'db2', AT))
  await own.runner.recordEnd(ID, 1, JOB_ID, endOf('agent-stopped'))
  assert.deepEqual(own.said, [])
  assert.equal(own.runner.countLive(), 0)
  assert.equal(own.read().runs[0]?.end?.reason, 'agent-stopped')
  own.runner.close()
})

test('an agent whose run ends by its own end gives back the message that nobody else has', async () => {
  const own = setUp({ ackWaitMs: 600_000 })
  await own.take()
  await waitFor('it runs', () => hasJob(own.read()))
  await own.runner.recordEnd(ID, 1, JOB_ID, endOf('agent-stopped'))
  assert.deepEqual(own.said, ['nak'])
  own.runner.close()
})

test('an agent that was stopped after it has claimed a job does not begin what another has taken over', async () => {
  const ackWaitMs = 30
  const since = performance.now()
  let isFirst = true
  const own: ReturnType<typeof setUp> = setUp({
    ackWaitMs,
    async slowly() {
      if (!isFirst) return
      isFirst = false
      await waitFor('others may take it over', () => performance.now() - since > 2 * ackWaitMs)
      await own.change(job => runEnded(claimed(job, 'db2', AT)!, 2, endOf()))
    },
  })
  await own.take()
  assert.deepEqual(own.submitted, [])
  assert.equal(own.read().state, 'ended')
  own.runner.close()
})

test('a claim whose answer was lost is not taken for a run that was lost', async () => {
  let isFirst = true
  const own = setUp({
    ackWaitMs: 600,
    async slowly() {
      if (!isFirst) return
      isFirst = false
      throw new Error('the engine is away')
    },
  })
  const taken = own.take()
  await waitFor('it is claimed', () => own.read().runs.length === 1)
  await own.change(job => suspected(job, AT))
  await waitFor('the doubt is taken back', () => {
    const job = own.read()
    return job.state === 'running' && job.suspectedAt === null
  })
  await taken
  await waitFor('it runs', () => hasJob(own.read()))
  assert.deepEqual(own.submitted, [ID])
  assert.equal(own.read().runs.length, 1)
  own.runner.close()
})

test('a claim that was never recorded is made again', async () => {
  let isFirst = true
  const own: ReturnType<typeof setUp> = setUp({
    ackWaitMs: 600_000,
    async slowly() {
      if (!isFirst) return
      isFirst = false
      await own.change(job => givenBack(job, 1))
      throw new Error('the engine is away')
    },
  })
  await own.take()
  await waitFor('it runs', () => hasJob(own.read()))
  assert.deepEqual(own.submitted, [ID])
  assert.equal(own.read().runs.length, 1)
  own.runner.close()
})

test('an agent that runs a job takes back what others doubt of it, with its next word', async () => {
  const own = setUp({ ackWaitMs: 60 })
  await own.take()
  await waitFor('it runs', () => hasJob(own.read()))
  await own.change(job => suspected(job, AT))
  const trusted = await waitFor('the doubt is taken back', () => {
    const job = own.read()
    return job.state === 'running' && job.suspectedAt === null && job
  })
  assert.equal(trusted.runs.length, 1)
  own.runner.close()
})

test('nor does it touch a doubt of the agent that has taken it over', async () => {
  const own = setUp({ ackWaitMs: 60 })
  await own.take()
  await waitFor('it runs', () => hasJob(own.read()))
  await own.change(job => suspected(claimed(job, 'db1', AT)!, AT))
  const words = own.said.length
  await waitFor('it has said something', () => own.said.length > words + 2)
  const job = own.read()
  assert.equal(job.state === 'running' && job.suspectedAt, AT)
  own.runner.close()
})

test('the end of a run whose record was lost is recorded anew, and nothing is run again', async () => {
  const own = setUp({ ackWaitMs: 600_000 })
  await own.take()
  await waitFor('it runs', () => hasJob(own.read()))
  own.lose()
  await own.runner.recordEnd(ID, 1, JOB_ID, endOf())
  assert.deepEqual(own.said, ['ack'])
  assert.deepEqual([own.read().state, own.read().runs[0]?.job], ['ended', JOB_ID])
  own.runner.close()
})
