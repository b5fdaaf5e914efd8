import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Msg, NatsConnection, SubscriptionOptions } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { createSubscriptions } from '../../../runtime/nats/subscriptions.ts'
import { startDroppingProxy } from '../../support/dropping-proxy.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('the subjects of an agent', NATS_TEST, () => {
  let engine: NatsServer
  before(async () => {
    engine = await startNatsServer()
  })
  after(() => engine?.end())

  /** An agent that serves, and a message for it that the engine has sent and the network still holds. */
  const withMessageOnItsWay = async (subject: string) => {
    await using stack = new AsyncDisposableStack()
    const proxy = stack.use(await startDroppingProxy(engine.port))
    const ofAgent = stack.adopt(await connect({ servers: proxy.url }), one => one.close())
    const ofClient = stack.adopt(await connect({ servers: engine.url }), one => one.close())
    const served: string[] = []
    const subscriptions = createSubscriptions({
      connection: ofAgent,
      host: 'db1',
      labels: [{ name: 'role', value: 'db' }],
      serve: message => void served.push(`${message.subject} ${message.string()}`),
      log: recordingLog().log,
    })
    subscriptions.free(true)
    subscriptions.serve(true)
    await ofAgent.flush()
    proxy.hold()
    ofClient.publish(subject, 'on its way')
    await ofClient.flush()
    const owned = stack.move()
    return {
      subscriptions,
      served,
      ofAgent,
      release: proxy.release,
      /** What comes of a message that is sent now: what the engine says when nobody listens. */
      ask: (text: string) => ofClient.request(subject, text, { timeout: 500 }).then(String, String),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  }

  test('what was for one of many, and was on its way when the last slot went, is served: nobody else gets it', async () => {
    await using agent = await withMessageOnItsWay(ANY)
    agent.subscriptions.free(false)
    agent.release()
    await waitFor('it is served', () => agent.served.length > 0)
    assert.match(await agent.ask('later'), /no responders/i)
    agent.subscriptions.free(true)
    await agent.ofAgent.flush()
    await agent.ask('later still')
    assert.deepEqual(agent.served, [`${ANY} on its way`, `${ANY} later still`])
  })

  test('an agent that stops serves what is on its way first', async () => {
    await using agent = await withMessageOnItsWay(HOST)
    const closed = agent.subscriptions.close()
    agent.subscriptions.free(false)
    agent.subscriptions.free(true)
    agent.release()
    await closed
    assert.deepEqual(agent.served, [`${HOST} on its way`])
    assert.match(await agent.ask('later'), /no responders/i)
  })

  test('what is on its way to an agent of which another has the name is not served', async () => {
    for (const subject of [HOST, ANY]) {
      await using agent = await withMessageOnItsWay(subject)
      agent.subscriptions.free(false)
      agent.subscriptions.serve(false)
      agent.release()
      await agent.ofAgent.flush()
      assert.deepEqual(agent.served, [])
    }
  })

  test('closing ends where there is no connection any more, also while a subject is being left', async () => {
    await using agent = await withMessageOnItsWay(HOST)
    agent.subscriptions.free(false)
    const closed = agent.subscriptions.close()
    await agent.ofAgent.close()
    await closed
    await agent.subscriptions.close()
    agent.subscriptions.serve(false)
  })
})

test('what the engine says of a subject that was left does not have the agent forget that it serves it again', () => {
  const subscribed: { subject: string; isOpen: boolean; callback: SubscriptionOptions['callback'] }[] = []
  const connection = {
    isClosed: () => false,
    subscribe(subject: string, { callback }: SubscriptionOptions) {
      const one = { subject, isOpen: true, callback }
      subscribed.push(one)
      const end = (): void => {
        one.isOpen = false
      }
      return { unsubscribe: end, drain: async () => end() }
    },
  }
  const subscriptions = createSubscriptions({
    connection: connection as unknown as NatsConnection,
    host: 'db1',
    labels: [{ name: 'role', value: 'db' }],
    serve() {},
    log: recordingLog().log,
  })
  subscriptions.serve(true)
  for (const isFree of [true, false, true]) subscriptions.free(isFree)
  const [left, current] = subscribed.filter(({ subject }) => subject === ANY)
  left!.callback!(new Error('Permissions Violation'), {} as Msg)
  assert.deepEqual([left!.isOpen, current!.isOpen], [false, true])
  subscriptions.free(false)
  assert.equal(current!.isOpen, false)
})

const HOST = 'newdt.host.db1.read'
const ANY = 'newdt.any.role.db.run'
