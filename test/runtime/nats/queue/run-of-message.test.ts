import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Msg } from '@nats-io/nats-core'
import { claimed, defended, newQueuedJob, runEnded, startedAs } from '../../../../lib/fleet/queue/changes.ts'
import {
  contentOf,
  factsOfMessage,
  fingerprintOf,
  parseMessage,
} from '../../../../lib/fleet/queue/message.ts'
import type { QueuedJob } from '../../../../lib/fleet/queue/queued-job.ts'
import { createRecords } from '../../../../lib/fleet/queue/records.ts'
import type { Job } from '../../../../lib/jobs/job.ts'
import type { Delivery } from '../../../../runtime/nats/queue/delivery.ts'
import { createLeaseTurns } from '../../../../runtime/nats/queue/lease-turns.ts'
import { createLeases } from '../../../../runtime/nats/queue/leases.ts'
import { createRunner } from '../../../../runtime/nats/queue/runner.ts'
import { createSlots } from '../../../../runtime/nats/queue/slots.ts'
import type { Submitted } from '../../../../runtime/nats/queue/submit.ts'
import { jobRecord } from '../../../handlers/fake-services.ts'
import { endOf } from '../../../lib/fleet/queue/sample.ts'
import { createFakeKv } from '../../../support/fake-kv.ts'
import { rawMessage } from '../../../support/raw-queue-message.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { waitFor } from '../../../support/wait-for.ts'

const ID = 'deploy-42-of-db'
const JOB_ID = 'a'.repeat(32)
const LABEL = { name: 'role', value: 'db' }
const FROM = { name: 'role=db', label: LABEL, priority: 'normal' as const, ackWaitMs: 80 }

interface Fakes {
  /** What the agent says to a submission. */
  submit?: (fakes: { bucket: ReturnType<typeof createFakeKv> }) => Submitted
  /** The jobs of this agent. */
  jobs?: Record<string, Job>
  /** The engine takes no dead letter. */
  failsLetters?: boolean
  query?: string
}

/** The agent db1, to which one message is given; and in order what it does with it. */
const setUp = async ({
  submit = () => ({ jobId: JOB_ID }),
  jobs = {},
  failsLetters,
  query = '',
}: Fakes = {}) => {
  const { headers, body } = rawMessage({ id: ID, cmd: 'uptime', target: `/api/jobs/execute/cmd${query}` })
  const data = new TextEncoder().encode(body)
  const message = parseMessage(headers, data)!
  const [fingerprint, content] = await Promise.all([fingerprintOf(message), contentOf(message)])
  const done: string[] = []
  const bucket = createFakeKv()
  const leaseBucket = createFakeKv()
  const records = createRecords(bucket)
  const { log } = recordingLog()
  const leases = createLeases({ bucket: () => leaseBucket, leaseMs: () => 60_000, host: 'db1', log })
  const slots = createSlots(
    () => 1,
    () => {},
  )
  const runner = createRunner({
    host: 'db1',
    records,
    turns: createLeaseTurns({ leases, slots, isLeaving: () => false }),
    connectionNumber: () => 0,
    onTrouble() {},
    async submit() {
      done.push('submit')
      return submit({ bucket })
    },
    find: id => jobs[id],
    ended: async () => {},
    async deadLetter(_delivery, _id, reason) {
      if (failsLetters) throw new Error('the engine is not there')
      done.push(`letter: ${reason}`)
    },
    events: { subscribe: () => () => {} },
    count() {},
    log,
  })
  const delivery = {
    message: { data, headers } as unknown as Msg,
    from: FROM,
    acknowledge: () => void done.push('acknowledge'),
    giveBack: () => void done.push('give back'),
    inProgress() {},
    count: 1,
  } satisfies Delivery
  return {
    runner,
    done,
    async take(): Promise<void> {
      await runner.take(delivery, slots.promise())
      await waitFor('something has become of the message', () => runner.countLive() === 0)
    },
    record: async () => (await records.get(ID)).job,
    change: records.change,
    set: async (make: (job: QueuedJob) => QueuedJob) => {
      const job = newQueuedJob(factsOfMessage(message, FROM, { fingerprint, content, nowMs: Date.now() }))
      await records.set(make(job), 0)
    },
    [Symbol.dispose]: () => runner.close(),
  }
}

const now = () => new Date().toISOString()

test('a message is done with only once its dead letter is kept', async () => {
  const submit = () => ({ status: 403, word: 'forbidden' })
  using well = await setUp({ submit })
  await well.take()
  assert.deepEqual(well.done, ['submit', 'letter: refused forbidden', 'acknowledge'])
  using failing = await setUp({ submit, failsLetters: true })
  await failing.take()
  assert.deepEqual(failing.done, ['submit', 'give back'])
  // When it comes again its record says that it is dead, and that is all.
  assert.equal((await failing.record())?.state, 'dead')
})

test('a refusal that says nothing of the message gives it back as if it had not been tried', async () => {
  for (const [status, word] of [
    [401, 'signature-ahead'],
    [401, 'clock-set-back'],
    [429, 'too-many-jobs'],
    [503, 'agent-stopping'],
  ] as const) {
    using agent = await setUp({ submit: () => ({ status, word }) })
    await agent.take()
    assert.deepEqual(agent.done, ['submit', 'give back'], word)
    const job = await agent.record()
    assert.deepEqual([job?.state, job?.runs], ['waiting', []], word)
  }
})

test('a refusal of the message itself is its end, with the word', async () => {
  for (const [word, reason, told] of [
    ['signature-wrong', 'refused', 'signature-wrong'],
    ['nonce-used', 'refused', 'nonce-used'],
    ['signature-expired', 'expired', ''],
  ] as const) {
    using agent = await setUp({ submit: () => ({ status: 401, word }) })
    await agent.take()
    const job = await agent.record()
    assert.ok(job?.state === 'dead')
    assert.deepEqual([job.reason, job.word, job.runs], [reason, told, []], word)
  }
})

test('what was signed counts, whatever its record says', async () => {
  // By its record it may run again; who signed it wants it run once.
  using once = await setUp({ query: '?once=true' })
  await once.set(job => claimed({ ...job, once: false, tries: 20 }, 'db1', now())!)
  await once.take()
  assert.deepEqual(once.done, ['letter: lost', 'acknowledge'])
  using tries = await setUp({ query: '?tries=1' })
  await tries.set(job => claimed({ ...job, tries: 20 }, 'db1', now())!)
  await tries.take()
  assert.deepEqual(tries.done, ['letter: too-many-tries', 'acknowledge'])
})

test('what has run to its end here is not run again, also where its record was lost', async () => {
  const { job } = jobRecord({ state: 'success', id: JOB_ID })
  using agent = await setUp({
    jobs: { [JOB_ID]: job },
    submit({ bucket }) {
      bucket.expire(ID)
      // The one that an earlier message of this id has become.
      return { jobId: JOB_ID }
    },
  })
  await agent.take()
  assert.deepEqual(agent.done, ['submit', 'acknowledge'])
})

test('the end of a run is recorded with the run of this agent, not with that of another which has its number', async () => {
  using agent = await setUp()
  await agent.set(job => startedAs(claimed(job, 'db2', now())!, 1, 'b'.repeat(32))!)
  await agent.runner.recordEnd(ID, 1, JOB_ID, endOf())
  const foreign = await agent.record()
  assert.deepEqual([foreign?.state, foreign?.runs[0]?.end], ['running', null])
  using own = await setUp()
  await own.set(job => claimed(job, 'db1', now())!)
  await own.runner.recordEnd(ID, 1, JOB_ID, endOf())
  const recorded = await own.record()
  assert.deepEqual([recorded?.state, recorded?.runs[0]?.job], ['ended', JOB_ID])
  assert.equal(own.runner.isRecorded(JOB_ID), true)
})

test('a message of a job that has an end is done with, and nothing is run', async () => {
  using agent = await setUp()
  await agent.set(job => runEnded(claimed(job, 'db2', now())!, 1, endOf())!)
  await agent.take()
  assert.deepEqual(agent.done, ['acknowledge'])
})

test('an agent that has lost a run of a job does not pass on what another one runs', async () => {
  const lost = { ...jobRecord({ state: 'failed', id: JOB_ID }).job, reason: 'agent-lost' } as Job
  using agent = await setUp({ jobs: { [JOB_ID]: lost } })
  await agent.set(job => {
    const first = startedAs(claimed(job, 'db1', now())!, 1, JOB_ID)!
    return claimed(runEnded(first, 1, endOf('agent-lost'))!, 'db2', now())!
  })
  const taken = agent.take()
  await waitFor('the other run is doubted', async () => {
    const job = await agent.record()
    return job?.state === 'running' && job.suspectedAt !== null
  })
  await agent.change(ID, job => defended(job, 'db2', 2))
  await taken
  const job = await agent.record()
  assert.deepEqual([agent.done, job?.state, job?.passes], [[], 'running', 0])
})

test('an agent that has lost a run of a job gives it back for others when nobody else runs it any more', async () => {
  const lost = { ...jobRecord({ state: 'failed', id: JOB_ID }).job, reason: 'agent-lost' } as Job
  using agent = await setUp({ jobs: { [JOB_ID]: lost } })
  await agent.set(job => {
    const first = startedAs(claimed(job, 'db1', now())!, 1, JOB_ID)!
    return claimed(runEnded(first, 1, endOf('agent-lost'))!, 'db2', now())!
  })
  await agent.take()
  const job = await agent.record()
  assert.deepEqual([agent.done, job?.state, job?.passes], [['give back'], 'waiting', 1])
})
