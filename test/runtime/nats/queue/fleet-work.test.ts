import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import type { JobEvent } from '../../../../lib/jobs/events.ts'
import { createJobEvents } from '../../../../lib/jobs/events.ts'
import type { DeliverySink } from '../../../../lib/notify/sinks.ts'
import type { OutboxEntry } from '../../../../lib/store/outbox-store.ts'
import { createFleetWork, type FleetWorkOptions } from '../../../../runtime/nats/queue/fleet-work.ts'
import { jobRecord } from '../../../handlers/fake-services.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../../support/nats-server.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { waitFor } from '../../../support/wait-for.ts'

const QUEUE = { id: 'deploy-42-of-db', try: 1 }
const ENDED = { ...jobRecord({ state: 'success' }).job, queue: QUEUE, caller: 'ci' }

/** What an agent does for its fleet, whose ids of queued jobs that are used up are noted. */
const setUp = () => {
  const used: string[] = []
  const sinks: DeliverySink[] = []
  const events = createJobEvents(error => assert.fail(String(error)))
  const work = createFleetWork({
    fleet: { name: 'db1', labels: [], takesQueue: false, engine: { inbox: '_INBOX' } },
    fetch: () => assert.fail('nothing is submitted'),
    jobs: {
      listed: () => undefined,
      open: () => undefined,
      countRunning: () => 0,
      isDraining: () => false,
      isClosing: () => false,
    },
    limit: 1,
    events,
    delivery: { add: (_name: string, sink: DeliverySink) => void sinks.push(sink), wake() {} },
    countPending: () => 0,
    useUp(keyId: string, id: string, expiresAt: number) {
      assert.ok(expiresAt > Date.now())
      used.push(`${keyId} ${id}`)
      return true
    },
    count() {},
    log: recordingLog().log,
  } as unknown as FleetWorkOptions)
  return { work, events, used, sink: sinks[0]! }
}

const ended = (job: object = ENDED) => ({ kind: 'ended', job }) as JobEvent

test('a queued request is used up in the turn in which its job ends, also while the engine is away', async () => {
  const { work, events, used } = setUp()
  events.emit({ ...ended(), kind: 'created' } as JobEvent)
  events.emit(ended({ ...ENDED, queue: null }))
  assert.deepEqual(used, [])
  events.emit(ended())
  assert.deepEqual(used, ['ci deploy-42-of-db'])
  await work.close(0)
})

describe('the end of a queued job that is told later', NATS_TEST, () => {
  let engine: NatsServer
  let connection: NatsConnection
  before(async () => {
    engine = await startNatsServer()
    connection = await connect({ servers: engine.url })
  })
  after(async () => {
    await connection?.close()
    await engine?.end()
  })

  test('uses its request up, where its agent was killed before it could', async () => {
    const { work, used, sink } = setUp()
    const open = work.open(connection)
    await waitFor('the fleet can be told', () => sink.isReady?.())
    const { state, reason, exitCode, signal, error } = ENDED as unknown as Record<string, unknown>
    const data = {
      state,
      reason,
      exitCode,
      signal,
      error,
      finishTime: new Date().toISOString(),
      caller: 'ci',
    }
    const entry = (queue: typeof QUEUE | null) =>
      ({
        id: 'a-job.ended',
        jobId: 'a'.repeat(32),
        kind: 'ended',
        payload: JSON.stringify({ data: { ...data, queue } }),
      }) as OutboxEntry
    await sink.deliver(entry(null), new AbortController().signal)
    assert.deepEqual(used, [])
    await sink.deliver(entry(QUEUE), new AbortController().signal)
    assert.deepEqual(used, ['ci deploy-42-of-db'])
    open.close()
    await work.close(0)
  })
})
