import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Msg, NatsConnection, SubscriptionOptions } from '@nats-io/nats-core'
import { QUEUE_STREAM } from '../../../../lib/fleet/queue/engine-names.ts'
import type { QueueConsumer } from '../../../../runtime/nats/queue/ensure-engine.ts'
import { createPulls } from '../../../../runtime/nats/queue/pulls.ts'
import { settled, withDeadline } from '../../../handlers/deadline.ts'

const DB: QueueConsumer = {
  name: 'role=db',
  label: { name: 'role', value: 'db' },
  priority: 'normal',
  ackWaitMs: 1000,
}

/**
 * One message is asked for, and a test says by hand what the engine gives, and when. A real engine gives nothing late by
 * request, and lets nobody else send what has to be acknowledged.
 */
const ask = () => {
  const asked: string[] = []
  const acknowledged: string[] = []
  let callback: SubscriptionOptions['callback']
  const connection = {
    subscribe(_subject: string, options: SubscriptionOptions) {
      callback = options.callback
      return { unsubscribe() {} }
    },
    publish(subject: string, text: string, { reply }: { reply?: string } = {}) {
      if (reply !== undefined) asked.push(subject)
      else acknowledged.push(`${subject.split('.')[5]} ${text}`)
    },
  } as unknown as NatsConnection
  const pulls = createPulls(connection, '_INBOX', () => connection)
  return {
    pulls,
    asked,
    acknowledged,
    pull: pulls.pull(DB, 600_000),
    give(position: number, consumer = DB.name): void {
      const reply = `$JS.ACK.${QUEUE_STREAM}.${consumer}.1.${position}.1.0.0`
      callback!(null, { subject: 'newdt.queue.role.db', reply, data: new Uint8Array() } as Msg)
    },
  }
}

test('a message comes to who has asked for it, and is acknowledged where it came from', async () => {
  const { asked, pull, give, acknowledged } = ask()
  assert.deepEqual(asked, [`$JS.API.CONSUMER.MSG.NEXT.${QUEUE_STREAM}.role=db`])
  give(7)
  const delivery = await withDeadline(pull, 'message')
  assert.deepEqual(acknowledged, [])
  delivery?.acknowledge()
  assert.deepEqual(acknowledged, ['7 +ACK'])
})

test('one that comes after nobody waits for it any more is given back at once', async () => {
  const { pulls, pull, give, acknowledged } = ask()
  pulls.forget()
  assert.equal(await withDeadline(pull, 'end of the pull'), undefined)
  give(8)
  await settled()
  assert.deepEqual(acknowledged, ['8 -NAK'])
})

test('one of another consumer is given back, and so is a second one', async () => {
  const { pull, give, acknowledged } = ask()
  give(9, 'role=web')
  give(10)
  assert.ok(await withDeadline(pull, 'message'))
  give(11)
  await settled()
  assert.deepEqual(acknowledged, ['9 -NAK', '11 -NAK'])
})
