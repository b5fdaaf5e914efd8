import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { type AnswerOfHost, type AskAllOptions, askAll } from '../../../lib/fleet/ask-all.ts'
import { messageHeaders, WIRE } from '../../../lib/fleet/wire.ts'
import { withDeadline } from '../../handlers/deadline.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { waitFor } from '../../support/wait-for.ts'

const REQUEST = { method: 'GET', target: '/', headers: [] }
/** Longer than any test may last: what ends before does not end by it. */
const FOR_EVER_MS = 600_000

type Say = (kind: string, fields?: Record<string, string>, text?: string) => void

describe('a request to all agents of a fleet', NATS_TEST, () => {
  let engine: NatsServer
  let agents: NatsConnection
  let client: NatsConnection
  before(async () => {
    engine = await startNatsServer()
    agents = await connect({ servers: engine.url })
    client = await connect({ servers: engine.url })
  })
  after(async () => {
    await Promise.all([agents?.close(), client?.close()])
    await engine?.end()
  })

  /** Agents by their names, and what each does when it is asked; what they are told afterwards is kept. */
  const fleetOf = async (hosts: Record<string, (say: Say) => void>) => {
    const told: Msg[] = []
    const acks = agents.subscribe('_INBOX.agents.>', { callback: (_error, one) => void told.push(one) })
    const subscriptions = Object.entries(hosts).map(([host, act]) =>
      agents.subscribe('newdt.all.read', {
        callback(_error, { reply = '' }) {
          act((kind, fields = {}, text = '') => {
            const headers = messageHeaders({
              [WIRE.host]: host,
              [WIRE.answer]: `of-${host}`,
              [WIRE.kind]: kind,
              ...fields,
            })
            agents.publish(reply, text, { headers, reply: `_INBOX.agents.${host}` })
          })
        },
      }),
    )
    await agents.flush()
    return {
      told,
      [Symbol.dispose]() {
        for (const one of [acks, ...subscriptions]) one.unsubscribe()
      },
    }
  }

  const whole = (text: string) => (say: Say) =>
    say('head', { [WIRE.status]: '200', [WIRE.seq]: '0', [WIRE.end]: 'true' }, text)

  const ask = async (options: AskAllOptions): Promise<Record<string, string>> => {
    const found: Record<string, string> = {}
    const answers: AsyncIterable<AnswerOfHost> = askAll(client, { to: 'all' }, REQUEST, options)
    const reading = (async () => {
      for await (const one of answers)
        found[one.host] = 'response' in one ? await one.response.text() : one.error.fault
    })()
    await withDeadline(reading, 'end of the answers', 15_000)
    return found
  }

  test('is over as soon as those who are expected have answered', async () => {
    using _fleet = await fleetOf({ db1: whole('a'), db2: whole('b') })
    const found = await ask({ expected: ['db1', 'db2'], waitMs: FOR_EVER_MS })
    assert.deepEqual(found, { db1: 'a', db2: 'b' })
  })

  test('waits for one that is expected, also when others have answered', async () => {
    const late = Promise.withResolvers<Say>()
    using _fleet = await fleetOf({ db1: whole('a'), db2: say => late.resolve(say) })
    const asked = ask({ expected: ['db1', 'db2'], waitMs: FOR_EVER_MS })
    whole('b')(await late.promise)
    assert.deepEqual(await asked, { db1: 'a', db2: 'b' })
  })

  test('is over after a time when nobody knows how many there are', async () => {
    using _fleet = await fleetOf({ db1: whole('a') })
    assert.deepEqual(await ask({ waitMs: 500 }), { db1: 'a' })
    // And when one that is expected is not there.
    assert.deepEqual(await ask({ waitMs: 500, expected: ['db1', 'gone'] }), { db1: 'a' })
  })

  test('one that has said that it is at it may take its time, but is lost when it is silent', async () => {
    using fleet = await fleetOf({ db1: whole('a'), db2: say => say('alive') })
    const found = await ask({ waitMs: 500, silenceMs: 100 })
    assert.deepEqual(found, { db1: 'a', db2: 'lost' })
    await waitFor('it is told that nobody waits any more', () =>
      fleet.told.some(one => one.subject === '_INBOX.agents.db2' && one.headers?.get(WIRE.kind) === 'cancel'),
    )
  })

  test('what says that it is no host is none', async () => {
    using _fleet = await fleetOf({ NO_HOST: whole('x'), db1: whole('a') })
    assert.deepEqual(await ask({ waitMs: 500 }), { db1: 'a' })
  })

  test('fails when nobody is there', async () => {
    await agents.flush()
    await assert.rejects(ask({ waitMs: FOR_EVER_MS }), { fault: 'nobody-there' })
  })
})
