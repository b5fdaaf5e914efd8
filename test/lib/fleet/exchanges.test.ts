import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { createExchanges } from '../../../lib/fleet/exchanges.ts'
import { createNatsFetch } from '../../../lib/fleet/fetch-by-nats.ts'
import { findHosts } from '../../../lib/fleet/find-hosts.ts'
import type { FleetError } from '../../../lib/fleet/fleet-error.ts'
import { messageHeaders, WIRE } from '../../../lib/fleet/wire.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { waitFor } from '../../support/wait-for.ts'

const REQUEST = { method: 'GET', target: '/', headers: [] }

/** What comes of one request that was published. */
const askOn = (exchanges: ReturnType<typeof createExchanges>, subject: string) => {
  const failures: FleetError[] = []
  const kinds: string[] = []
  const end = exchanges.ask(subject, REQUEST, {
    message: kind => void kinds.push(kind),
    failed: error => void failures.push(error),
  })
  return { failures, kinds, end }
}

describe('requests over one connection', NATS_TEST, () => {
  let engine: NatsServer
  let agent: NatsConnection
  let client: NatsConnection
  before(async () => {
    const all = 'publish = ">", subscribe = ">"'
    const some = 'publish = { deny = ["newdt.host.db9.*", "newdt.host.db8.*"] }, subscribe = ">"'
    engine = await startNatsServer({
      config: `authorization { users = [
        { user: agent, password: a, permissions: { ${all} } }
        { user: client, password: a, permissions: { ${some} } } ] }`,
    })
    const more = { servers: engine.url, pass: 'a', maxReconnectAttempts: -1, reconnectTimeWait: 50 }
    agent = await connect({ ...more, user: 'agent' })
    client = await connect({ ...more, user: 'client' })
    // One that takes whatever it is asked, and says nothing of it.
    agent.subscribe('newdt.host.silent.*', { callback() {} })
    await agent.flush()
  })
  after(async () => {
    await Promise.all([agent?.close(), client?.close()])
    await engine?.end()
  })

  test('what the engine does not let one send fails that alone, and leaves the others', async () => {
    const exchanges = createExchanges(client)
    const waiting = askOn(exchanges, 'newdt.host.silent.read')
    const [one, other] = [askOn(exchanges, 'newdt.host.db9.read'), askOn(exchanges, 'newdt.host.db9.run')]
    await waitFor('the engine refuses both', () => one.failures[0] && other.failures[0])
    for (const { failures } of [one, other])
      assert.deepEqual(
        failures.map(({ fault }) => fault),
        ['not-allowed'],
      )
    const nobody = askOn(exchanges, 'newdt.host.nobody.read')
    await waitFor('nobody is there', () => nobody.failures[0])
    assert.equal(nobody.failures[0]?.fault, 'nobody-there')
    assert.deepEqual(waiting.failures, [])
    exchanges.close()
  })

  test('of two answers to one request the first is taken whole, and the other is told that nobody wants it', async () => {
    const told: Msg[] = []
    const acks = agent.subscribe('_INBOX.twins.>', { callback: (_error, message) => void told.push(message) })
    const twins = agent.subscribe('newdt.host.twins.*', {
      callback(_error, { reply = '' }) {
        // As two agents of one name answer: piece by piece, in turns.
        for (const seq of [0, 1, 2])
          for (const id of ['one', 'other']) {
            const headers = messageHeaders({
              [WIRE.host]: 'twins',
              [WIRE.answer]: id,
              [WIRE.seq]: String(seq),
              [WIRE.kind]: seq === 0 ? 'head' : 'part',
              ...(seq === 0 && { [WIRE.status]: '200' }),
              ...(seq === 2 && { [WIRE.end]: 'true' }),
            })
            agent.publish(reply, `${id}${seq} `, { headers, reply: `_INBOX.twins.${id}` })
          }
      },
    })
    await agent.flush()
    const response = await createNatsFetch(client)('http://twins.host.newdt/')
    assert.equal(await response.text(), 'one0 one1 one2 ')
    const canceled = () => told.filter(one => one.headers?.get(WIRE.kind) === 'cancel')
    await waitFor('the other is told', () => canceled().length > 0)
    assert.ok(canceled().every(({ subject }) => subject === '_INBOX.twins.other'))
    acks.unsubscribe()
    twins.unsubscribe()
  })

  test('a beginning of subjects on which no agent answers is refused at once', async () => {
    for (const inbox of ['_INBOX.joe@corp', 'newdt.host', '$SYS', 'a..b', '', 'x'.repeat(129)]) {
      assert.throws(() => createExchanges(client, { inbox }), TypeError, inbox)
      await assert.rejects(findHosts(client, { inbox }), TypeError)
    }
    createExchanges(client, { inbox: 'x'.repeat(128) }).close()
  })

  test('a large body is published once, to the one that answers, in its order', async () => {
    let pieces = 0
    const orders = agent.subscribe('orders.x', {
      callback: (_error, { data }) => void (data.length > 0 && pieces++),
    })
    const rogue = agent.subscribe('newdt.host.rogue.*', {
      callback(_error, { reply = '' }) {
        const publish = (fields: Record<string, string>) => {
          const headers = messageHeaders({ [WIRE.host]: 'rogue', ...fields })
          agent.publish(reply, undefined, { headers, reply: 'orders.x' })
        }
        for (const id of ['one', 'other'])
          for (const received of [0, 0, 1, 2, 0])
            publish({ [WIRE.answer]: id, [WIRE.kind]: 'continue', [WIRE.received]: String(received) })
        publish({ [WIRE.answer]: 'one', [WIRE.kind]: 'error', [WIRE.error]: 'broken' })
      },
    })
    await agent.flush()
    const body = new Uint8Array(3 << 20)
    await assert.rejects(createNatsFetch(client)('http://rogue.host.newdt/', { method: 'POST', body }))
    await client.flush()
    await agent.flush()
    assert.equal(pieces, 1)
    orders.unsubscribe()
    rogue.unsubscribe()
  })

  test('what waits for an answer fails when the connection breaks, and what is asked meanwhile was never sent', async () => {
    const exchanges = createExchanges(client)
    const [one, other] = [
      askOn(exchanges, 'newdt.host.silent.read'),
      askOn(exchanges, 'newdt.host.silent.run'),
    ]
    await client.flush()
    assert.deepEqual([one.failures, other.failures], [[], []])
    await engine.end('SIGKILL')
    await waitFor('both fail', () => one.failures[0] && other.failures[0])
    assert.deepEqual(
      [one, other].flatMap(({ failures }) => failures.map(({ fault }) => fault)),
      ['lost', 'lost'],
    )
    const meanwhile = askOn(exchanges, 'newdt.host.silent.read')
    assert.equal(meanwhile.failures[0]?.fault, 'not-sent')
    await engine.start()
    await waitFor('it is asked again when the connection is back', () => {
      const again = askOn(exchanges, 'newdt.host.silent.read')
      again.end()
      return again.failures.length === 0
    })
    exchanges.close()
  })
})
