import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { headers as createHeaders, createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { DEAD_HEADERS, DEAD_STREAM } from '../../../../lib/fleet/queue/engine-names.ts'
import { parseMessage } from '../../../../lib/fleet/queue/message.ts'
import { createDeadLetters } from '../../../../runtime/nats/queue/dead-letters.ts'
import type { Delivery } from '../../../../runtime/nats/queue/delivery.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../../support/nats-server.ts'
import { rawMessage } from '../../../support/raw-queue-message.ts'

const LABEL = { name: 'role', value: 'db' }

describe('what is put aside', NATS_TEST, () => {
  let engine: NatsServer
  let connection: NatsConnection
  before(async () => {
    engine = await startNatsServer()
    connection = await connect({ servers: engine.url })
    const manager = await jetstreamManager(connection)
    await manager.streams.add({ name: DEAD_STREAM, subjects: ['newdt.dead.>'] })
  })
  after(async () => {
    await connection?.close()
    await engine?.end()
  })

  const put = createDeadLetters(() => connection, 'db1')

  /** A message as this agent was given it, with whatever headers its sender has chosen. */
  const delivered = async (id: string, more: Record<string, string> = {}): Promise<Delivery> => {
    const { headers, body } = rawMessage({ id, cmd: 'uptime' })
    for (const [name, value] of Object.entries(more)) headers.set(name, value)
    const subject = createInbox()
    const subscription = connection.subscribe(subject, { max: 1 })
    connection.publish(subject, body, { headers })
    let message: Msg | undefined
    for await (const one of subscription) message = one
    return { message: message!, from: { label: LABEL } } as Delivery
  }

  const letters = async (id: string) => {
    const manager = await jetstreamManager(connection)
    const info = await manager.streams.info(DEAD_STREAM, { subjects_filter: `newdt.dead.role.db.${id}` })
    const last = await manager.streams.getMessage(DEAD_STREAM, { last_by_subj: `newdt.dead.role.db.${id}` })
    return { count: Object.values(info.state.subjects ?? {})[0] ?? 0, last }
  }

  test('can be looked at, with the reason and who says so, and submitted again as it was', async () => {
    const delivery = await delivered('a-dead-job-1')
    await put(delivery, 'a-dead-job-1', 'refused forbidden')
    const { last } = await letters('a-dead-job-1')
    assert.deepEqual(
      [last?.header.get(DEAD_HEADERS.reason), last?.header.get(DEAD_HEADERS.host)],
      ['refused forbidden', 'db1'],
    )
    const { headers, data } = delivery.message
    assert.deepEqual(
      parseMessage(last?.header, new Uint8Array(last!.data)),
      parseMessage(headers, new Uint8Array(data)),
    )
  })

  test('is stored whatever its sender has the engine expect: those words are not passed on', async () => {
    const words = {
      'Nats-Expected-Stream': 'ANOTHER',
      'Nats-Expected-Last-Sequence': '999',
      'nats-expected-last-msg-id': 'other',
      'Nats-TTL': '1s',
      'Nats-Rollup': 'all',
      'Nats-Msg-Id': 'a-dead-job-2',
    }
    await put(await delivered('a-dead-job-2', words), 'a-dead-job-2', 'lost')
    const { last, count } = await letters('a-dead-job-2')
    assert.equal(count, 1)
    const kept = [...(last?.header ?? createHeaders())].map(([name]) => name.toLowerCase())
    assert.deepEqual(
      kept.filter(name => name.startsWith('nats-')),
      ['nats-msg-id'],
    )
    assert.equal((await letters('a-dead-job-1')).count, 1)
  })

  test('is stored once, however often its message comes', async () => {
    const delivery = await delivered('a-dead-job-3')
    for (let n = 0; n < 3; n++) await put(delivery, 'a-dead-job-3', 'lost')
    assert.equal((await letters('a-dead-job-3')).count, 1)
  })

  test('has no id of its own where that is none: such do not push out one another', async () => {
    for (const [reply, id] of [
      ['$JS.ACK.NEWDT_QUEUE.role=db.1.7.7.0.0', undefined],
      ['$JS.ACK.NEWDT_QUEUE.role=db.1.8.8.0.0', 'a.b'],
      ['$JS.ACK.NEWDT_QUEUE.role=db.2.8.9.0.0', '>'],
    ] as const) {
      const { message, from } = await delivered('whatever-it-is')
      const { data, headers } = message
      await put(
        { message: { data, headers, reply } as Msg, from } as Delivery,
        id,
        'refused message-malformed',
      )
    }
    assert.equal((await letters('_')).count, 2)
  })

  test('is not done with when the engine does not take it', async () => {
    const away = createDeadLetters(() => {
      throw new Error('the engine is not there')
    }, 'db1')
    const delivery = await delivered('a-dead-job-4')
    await assert.rejects(away(delivery, 'a-dead-job-4', 'lost'), /not there/)
  })
})
