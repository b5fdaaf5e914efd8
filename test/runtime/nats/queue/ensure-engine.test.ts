import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers as createHeaders, type NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { createQueue } from '../../../../lib/fleet/queue/create-queue.ts'
import { EVENT_STREAM, QUEUE_STREAM } from '../../../../lib/fleet/queue/engine-names.ts'
import type { OutboxEntry } from '../../../../lib/store/outbox-store.ts'
import { ensureEvents, ensureQueue } from '../../../../runtime/nats/queue/ensure-engine.ts'
import { createFleetSink } from '../../../../runtime/nats/queue/fleet-sink.ts'
import { SECRET } from '../../../support/agent.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../../support/nats-server.ts'

const DB = { name: 'role', value: 'db' }

describe('what an agent makes on the engine', NATS_TEST, () => {
  let engine: NatsServer
  let connection: NatsConnection
  before(async () => {
    engine = await startNatsServer()
    connection = await connect({ servers: engine.url })
    await ensureQueue(connection, [DB])
    await ensureEvents(connection)
  })
  after(async () => {
    await connection?.close()
    await engine?.end()
  })

  const publish = (subject: string, id: string) => {
    const headers = createHeaders()
    headers.set('Nats-Msg-Id', id)
    return jetstream(connection).publish(subject, 'x', { headers })
  }
  const count = async (stream: string) =>
    (await (await jetstreamManager(connection)).streams.info(stream)).state.messages

  test('takes a job of an id once into the queue, and an event of an id once', async () => {
    for (const [stream, subject] of [
      [QUEUE_STREAM, 'newdt.queue.role.db'],
      [EVENT_STREAM, 'newdt.event.db1.ended'],
    ] as const) {
      const before = await count(stream)
      assert.equal((await publish(subject, 'the-same-id')).duplicate, false)
      assert.equal((await publish(subject, 'the-same-id')).duplicate, true)
      assert.equal(await count(stream), before + 1, stream)
    }
  })

  test('what is submitted again by the same id is in the queue once', async () => {
    const queue = createQueue(connection, { credentials: { secret: SECRET } })
    const before = await count(QUEUE_STREAM)
    for (let n = 0; n < 2; n++)
      assert.ok((await queue.submit({ cmd: 'true' }, { label: DB, id: 'submitted-twice' })).ok)
    assert.equal(await count(QUEUE_STREAM), before + 1)
  })

  test('an event that is told again is there once', async () => {
    const sink = createFleetSink({ host: 'db1', connection: () => connection, recordEnd: async () => {} })
    const before = await count(EVENT_STREAM)
    const payload = JSON.stringify({ data: { queue: null } })
    const entry = { id: 'a-job.started', jobId: 'a-job', kind: 'started', payload } as OutboxEntry
    for (let n = 0; n < 2; n++)
      assert.equal(await sink.deliver(entry, new AbortController().signal), 'delivered')
    assert.equal(await count(EVENT_STREAM), before + 1)
  })

  test('remembers for ten minutes what it has, loses nothing of the queue to make room, and gives it again without end', async () => {
    const manager = await jetstreamManager(connection)
    for (const name of [QUEUE_STREAM, EVENT_STREAM]) {
      const { config } = await manager.streams.info(name)
      assert.deepEqual([config.duplicate_window, config.storage], [600e9, 'file'], name)
    }
    assert.equal((await manager.streams.info(QUEUE_STREAM)).config.discard, 'new')
    const { config } = await manager.consumers.info(QUEUE_STREAM, 'role=db')
    assert.deepEqual([config.max_deliver, config.max_ack_pending], [-1, -1])
  })

  test('gives a job to one agent at a time, and keeps no job that is acknowledged', async () => {
    const [one] = (await ensureQueue(connection, [DB])).consumers.filter(
      ({ priority }) => priority === 'normal',
    )
    const before = await count(QUEUE_STREAM)
    await publish('newdt.queue.role.db', 'another-id')
    const consumer = await jetstream(connection).consumers.get(QUEUE_STREAM, one!.name)
    for (let left = before; left >= 0; left--) {
      const message = await consumer.next({ expires: 1000 })
      assert.ok(message)
      await message.ackAck()
      assert.equal(await count(QUEUE_STREAM), left)
    }
  })

  test('a second agent with the same label finds what the first has made', async () => {
    const [one, other] = [await ensureQueue(connection, [DB]), await ensureQueue(connection, [DB])]
    assert.deepEqual(one.consumers, other.consumers)
    assert.deepEqual(
      one.consumers.map(({ priority }) => priority),
      ['high', 'normal'],
    )
  })
})
