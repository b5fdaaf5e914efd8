import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Msg } from '@nats-io/nats-core'
import { rightFor } from '../../../lib/fleet/fetch-by-nats.ts'
import { messageHeaders, PIECE_BYTES, WINDOW, WIRE } from '../../../lib/fleet/wire.ts'
import { connectTwice, URL_OF_HOST } from '../../support/nats-pair.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { waitFor } from '../../support/wait-for.ts'

type Sent = [fields: Record<string, string>, data?: string | Uint8Array, reply?: string]

const HEAD = { [WIRE.kind]: 'head', [WIRE.status]: '200', [WIRE.seq]: '0' }
const part = (seq: number | string, more = {}) => ({ [WIRE.kind]: 'part', [WIRE.seq]: String(seq), ...more })
const END = { [WIRE.end]: 'true' }

describe('a fetch over an engine', NATS_TEST, () => {
  let engine: NatsServer
  let pair: Awaited<ReturnType<typeof connectTwice>>
  before(async () => {
    engine = await startNatsServer()
    pair = await connectTwice(engine, { silenceMs: 2000 })
  })
  after(async () => {
    await pair?.close()
    await engine?.end()
  })

  /** What answers with these messages, whatever it is asked; and all that it has received. */
  const answerWith = async (...messages: Sent[]) => {
    const acknowledged: Msg[] = []
    const acks = pair.ofAgent.subscribe('_INBOX.fake.>', {
      callback: (_error, message) => void acknowledged.push(message),
    })
    const subscription = pair.ofAgent.subscribe('newdt.host.db1.*', {
      callback(_error, { reply = '' }) {
        for (const [fields, data = '', back] of messages) {
          const headers = messageHeaders({ [WIRE.answer]: 'a', [WIRE.host]: 'db1', ...fields })
          pair.ofAgent.publish(reply, data, { headers, ...(back && { reply: `_INBOX.fake.${back}` }) })
        }
      },
    })
    await pair.ofAgent.flush()
    return {
      acknowledged,
      [Symbol.dispose]() {
        subscription.unsubscribe()
        acks.unsubscribe()
      },
    }
  }

  const text = async (): Promise<string> => (await pair.fetch(`${URL_OF_HOST}/`)).text()

  test('puts an answer together of its pieces, and acknowledges each that is taken', async () => {
    using agent = await answerWith(
      [HEAD, 'a', 'h'],
      [part(1), 'b', '1'],
      [part(2), '', '2'],
      [part(3, END), 'c', '3'],
    )
    assert.equal(await text(), 'abc')
    const subjects = await waitFor(
      'three acknowledgements come',
      () => agent.acknowledged.length === 3 && agent.acknowledged,
    )
    assert.deepEqual(
      subjects.map(({ subject }) => subject.slice(-1)),
      ['1', '2', '3'],
    )
  })

  test('takes no answer for whole in which a piece is missing, comes twice, or never ends', async () => {
    const broken: Sent[][] = [
      [[HEAD], [part(2), 'b', '2'], [part(3, END), 'c', '3']],
      [[HEAD], [part(1), 'b', '1'], [part(1), 'b', '1'], [part(2, END), 'c', '2']],
      [[HEAD], [part(1), 'b', '1'], [part('x', END), 'c', '2']],
      [[HEAD], [HEAD], [part(1, END), 'b', '1']],
      [[HEAD], [{ [WIRE.kind]: 'error', [WIRE.error]: '\u001b[2Jx' }]],
      [[HEAD], [part(1), 'b', '1']],
      [[HEAD], ...Array.from({ length: 30 }, (_, n): Sent => [part(n + 1), 'x', String(n)])],
    ]
    for (const messages of broken) {
      using _agent = await answerWith(...messages)
      const response = await pair.fetch(`${URL_OF_HOST}/`)
      await waitFor('all has come', () => new Promise(resolve => setImmediate(() => resolve(true))))
      const error = await response.text().then(
        () => assert.fail(JSON.stringify(messages)),
        (error: Error) => error,
      )
      assert.equal((error as { code?: string }).code, 'FLEET_LOST')
      assert.doesNotMatch(error.message, /\u001b/)
    }
  })

  test('takes nothing for an answer that is none', async () => {
    const none: Sent[] = [
      [{ ...HEAD, [WIRE.status]: '99' }],
      [{ ...HEAD, [WIRE.status]: '700' }],
      [{ ...HEAD, [WIRE.status]: 'ok' }],
      [{ ...HEAD, 'x-odd': '中' }],
      [{ [WIRE.kind]: 'part', [WIRE.seq]: '1' }],
      [{ [WIRE.kind]: 'error', [WIRE.error]: 'broken' }],
    ]
    for (const message of none) {
      using _agent = await answerWith(message)
      await assert.rejects(text(), { code: 'FLEET_LOST' }, JSON.stringify(message))
    }
    for (const fields of [{}, { [WIRE.kind]: 'what' }, { ...HEAD, 'x-large': 'x'.repeat(20_000) }]) {
      using _agent = await answerWith([fields])
      await assert.rejects(text(), /silent/)
    }
  })

  test('takes no more than an agent sends', async () => {
    const large = new Uint8Array(PIECE_BYTES + 1)
    using agent = await answerWith([{ ...HEAD, ...END }, large])
    await assert.rejects(text(), { code: 'FLEET_LOST' })
    agent[Symbol.dispose]()
    for (const messages of [
      [[HEAD, large]],
      [[HEAD], [part(1), large, '1']],
      [[HEAD, 'a'], ...Array.from({ length: WINDOW + 1 }, (_, n): Sent => [part(n + 1), 'x', String(n)])],
    ] satisfies Sent[][]) {
      using _agent = await answerWith(...messages)
      const response = await pair.fetch(`${URL_OF_HOST}/`).catch(error => error)
      await pair.ofAgent.flush()
      await pair.ofClient.flush()
      await assert.rejects(async () => response.text?.() ?? Promise.reject(response), { code: 'FLEET_LOST' })
    }
  })

  test('takes no answer of another agent, and nobody can foresee where it is answered', async () => {
    const replies: string[] = []
    const subscription = pair.ofAgent.subscribe('newdt.host.db1.*', {
      callback(_error, { reply = '' }) {
        replies.push(reply)
        for (const [host, data] of [
          ['db2', 'forged'],
          ['db1', 'right'],
        ] as const) {
          const headers = messageHeaders({ ...HEAD, ...END, [WIRE.host]: host, [WIRE.answer]: host })
          pair.ofAgent.publish(reply, data, { headers })
        }
      },
    })
    await pair.ofAgent.flush()
    for (let n = 0; n < 2; n++) assert.equal(await text(), 'right')
    subscription.unsubscribe()
    for (const reply of replies) assert.match(reply, /^_INBOX\.[0-9a-f]{32}\.[0-9a-f]{32}$/)
    assert.notEqual(replies[0], replies[1])
  })

  test('publishes nothing where an agent has no right to have it publish', async () => {
    const others = ['$JS.API.STREAM.PURGE.X', 'newdt.queue.role.db', `_INBOX.${'x'.repeat(4000)}`]
    const heard: string[] = []
    const callback = (_error: unknown, { subject }: Msg) => void heard.push(subject)
    const subscriptions = others.map(subject => pair.ofAgent.subscribe(subject, { callback }))
    const agent = pair.ofAgent.subscribe('newdt.host.db1.*', {
      callback(_error, { reply = '' }) {
        const common = { [WIRE.answer]: 'a', [WIRE.host]: 'db1' }
        for (const other of others)
          pair.ofAgent.publish(reply, '', {
            headers: messageHeaders({ ...common, [WIRE.kind]: 'alive' }),
            reply: other,
          })
        pair.ofAgent.publish(reply, 'well', { headers: messageHeaders({ ...common, ...HEAD, ...END }) })
      },
    })
    await pair.ofAgent.flush()
    assert.equal(await text(), 'well')
    await pair.ofClient.flush()
    await pair.ofAgent.flush()
    for (const one of [agent, ...subscriptions]) one.unsubscribe()
    assert.deepEqual(heard, [])
  })

  test('tells an agent that it goes on for nobody', async () => {
    using agent = await answerWith([HEAD, 'a', 'h'], [part(1), 'b', '1'])
    const response = await pair.fetch(`${URL_OF_HOST}/`)
    await response.body?.cancel()
    await waitFor('a cancel comes', () =>
      agent.acknowledged.some(one => one.headers?.get(WIRE.kind) === 'cancel'),
    )
    // One whose request was given up before anything came.
    const stop = new AbortController()
    const asked = pair.fetch(`${URL_OF_HOST}/`, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await assert.rejects(asked, /enough/)
    await waitFor(
      'and for that',
      () => agent.acknowledged.filter(one => one.headers?.get(WIRE.kind) === 'cancel').length >= 3,
    )
  })

  test('gives up what it waits for when the connection is closed', async () => {
    const other = await connectTwice(engine)
    using _agent = await answerWith([HEAD])
    const response = await other.fetch(`${URL_OF_HOST}/`)
    const reading = assert.rejects(response.text(), { code: 'FLEET_LOST' })
    await other.close()
    await reading
    await assert.rejects(other.fetch(`${URL_OF_HOST}/`), { code: 'FLEET_NOT_SENT' })
  })

  test('sends each request as what it needs', () => {
    assert.equal(rightFor('GET', '/api/jobs', 'run'), 'read')
    assert.equal(rightFor('HEAD', '/api/jobs', 'admin'), 'read')
    assert.equal(rightFor('POST', '/api/jobs/execute/cmd', 'admin'), 'run')
    for (const as of ['run', 'admin'] as const) {
      assert.equal(rightFor('POST', '/api/jobs/1/cancel', as), as)
      assert.equal(rightFor('POST', '/api/jobs/1/signal', as), as)
    }
    assert.equal(rightFor('POST', '/api/agent/drain', 'run'), 'admin')
  })
})
