import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { watchRivals } from '../../../runtime/nats/rivals.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { waitFor } from '../../support/wait-for.ts'

const NAME = 'newdt.host.db1.name'

describe('agents of one name', NATS_TEST, () => {
  let engine: NatsServer
  const closing: (() => unknown)[] = []
  before(async () => {
    engine = await startNatsServer({
      config: `authorization { users = [
        { user: agent, password: p }
        { user: mute, password: p, permissions: { publish: ["_INBOX.>"], subscribe: [">"] } }
        { user: deaf, password: p, permissions: { publish: [">"], subscribe: ["_INBOX.>"] } } ] }`,
      jetstream: false,
    })
  })
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })
  after(() => engine?.end())

  const connectAs = async (user: string): Promise<NatsConnection> => {
    const connection = await connect({ servers: engine.url, user, pass: 'p' })
    closing.push(() => connection.close())
    return connection
  }

  /** An agent, as far as its name goes; looks by itself only once in a minute, as the real one does. */
  const join = async (startedAt: number, { user = 'agent', waitMs = 50 } = {}) => {
    const connection = await connectAs(user)
    const { log, lines } = recordingLog()
    let isOurs: boolean | undefined
    const rivals = watchRivals({
      connection,
      name: 'db1',
      startedAt,
      waitMs,
      echoMs: 500,
      log,
      onDecided(isNow) {
        isOurs = isNow
      },
    })
    closing.push(rivals.close)
    return {
      ...rivals,
      connection,
      lines,
      isOurs: () => isOurs,
      forget() {
        isOurs = undefined
      },
    }
  }

  test('the second one does not get it, even where its clock is behind', async () => {
    const first = await join(2000)
    await waitFor('the first has it', first.isOurs)
    const second = await join(1000)
    await waitFor('the second knows', () => second.isOurs() === false)
    assert.equal(first.isOurs(), true)
    assert.match(second.lines.map(({ message }) => message).join(), /ANOTHER AGENT HAS THIS NAME/)
  })

  test('of two that come at once the earlier one gets it', async () => {
    const [one, other] = await Promise.all([join(1000, { waitMs: 500 }), join(2000, { waitMs: 500 })])
    await waitFor('both know', () => one.isOurs() !== undefined && other.isOurs() !== undefined)
    assert.deepEqual([one.isOurs(), other.isOurs()], [true, false])
  })

  test('one that was cut off while another took it does not get it back', async () => {
    const first = await join(1000)
    await waitFor('the first has it', first.isOurs)
    first.disconnected()
    first.forget()
    const second = await join(2000)
    await waitFor('the second has it', second.isOurs)
    first.reconnected()
    await waitFor('the first knows', () => first.isOurs() === false)
    assert.equal(second.isOurs(), true)
  })

  test('one that comes back while it looks looks again', async () => {
    const first = await join(1000, { waitMs: 300 })
    await waitFor('it has begun to look', async () => {
      await first.connection.flush()
      return true
    })
    // Both in the turn of one look: what was wanted in it is not forgotten.
    first.disconnected()
    first.reconnected()
    await waitFor('it has it', first.isOurs, 4000)
  })

  test('of two that both have it, once the engines they were on have met, the later one gives it up at once', async () => {
    const later = await join(2000)
    await waitFor('it has it', later.isOurs)
    const other = await connectAs('agent')
    // As the other says when it looks by itself.
    const claim = JSON.stringify({ id: 'earlier', startedAt: 1000, serving: true, asks: true })
    other.subscribe(NAME, {
      callback(_error, message) {
        if (message.json<{ id: string }>().id !== 'earlier') other.publish(NAME, claim)
      },
    })
    other.publish(NAME, claim)
    await waitFor('it has given it up', () => later.isOurs() === false)
  })

  test('nobody has one on whose subject they cannot say so, or hear others; the log tells once', async () => {
    for (const user of ['mute', 'deaf']) {
      const one = await join(1000, { user })
      await waitFor('it says so', () => one.lines.length > 0)
      assert.deepEqual(one.lines[0], {
        level: 'error',
        fields: { subject: NAME },
        message:
          'THE AGENT DOES NOT SERVE THE FLEET: what it publishes on the subject of its name does not come back',
      })
      assert.equal(one.isOurs(), undefined)
    }
  })

  test('what is no claim is none', async () => {
    const first = await join(1000)
    await waitFor('it has it', first.isOurs)
    const other = await connectAs('agent')
    for (const text of ['', 'x', '{}', '{"id":1,"startedAt":0}', '{"id":"a","startedAt":"0"}', 'null', '[]'])
      other.publish(NAME, text)
    const second = await join(2000)
    await waitFor('all of it has come', () => second.isOurs() === false)
    assert.equal(first.isOurs(), true)
  })
})
