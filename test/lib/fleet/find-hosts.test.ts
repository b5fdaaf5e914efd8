import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { type FindOptions, findHosts } from '../../../lib/fleet/find-hosts.ts'
import { FleetError } from '../../../lib/fleet/fleet-error.ts'
import { withDeadline } from '../../handlers/deadline.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'

/** Longer than any test may last: what ends before does not end by it. */
const FOR_EVER_MS = 600_000

interface Told {
  name: string
  id: string
  metadata: { name: string; labels: string }
  endpoints: { data: Record<string, unknown> }[]
  [more: string]: unknown
}

const tells = (host: string, changes: Partial<Told> = {}): Told => ({
  name: 'newdt-auto',
  id: `ID-OF-${host}`,
  version: '1.2.3',
  started: '2027-01-15T08:00:00.000Z',
  metadata: { name: host, labels: '["role=db","env=prod"]' },
  endpoints: [{ data: { running: 1, limit: 4, draining: false, serving: true } }],
  ...changes,
})

describe('who looks for the agents of a fleet', NATS_TEST, () => {
  let engine: NatsServer
  let agents: NatsConnection
  let client: NatsConnection
  before(async () => {
    const all = 'publish = ">", subscribe = ">"'
    engine = await startNatsServer({
      config: `authorization { users = [
        { user: any, password: a, permissions: { ${all} } }
        { user: blind, password: a, permissions: { publish = "newdt.>", subscribe = ">" } }
        { user: deaf, password: a, permissions: { publish = ">", subscribe = "_INBOX_deaf.>" } } ] }`,
    })
    agents = await connect({ servers: engine.url, user: 'any', pass: 'a' })
    client = await connect({ servers: engine.url, user: 'any', pass: 'a' })
  })
  after(async () => {
    await Promise.all([agents?.close(), client?.close()])
    await engine?.end()
  })

  /** What is found where these are the answers. */
  const findAmong = async (answers: (Told | string | Uint8Array)[], options: FindOptions = {}) => {
    const subscription = agents.subscribe('$SRV.STATS.newdt-auto', {
      callback(_error, message) {
        for (const one of answers)
          message.respond(typeof one === 'string' || one instanceof Uint8Array ? one : JSON.stringify(one))
      },
    })
    await agents.flush()
    const found = await withDeadline(
      findHosts(client, { waitMs: FOR_EVER_MS, stallMs: 100, ...options }),
      'end of the search',
      15_000,
    ).finally(() => subscription.unsubscribe())
    return found
  }

  const namesOf = (hosts: { name: string }[]): string[] => hosts.map(({ name }) => name)

  test('finds each by its name, with what it tells of itself', async () => {
    const found = await findAmong([tells('web1'), tells('db1')])
    assert.deepEqual(namesOf(found), ['db1', 'web1'])
    assert.deepEqual(found[0], {
      name: 'db1',
      id: 'ID-OF-db1',
      version: '1.2.3',
      labels: { role: 'db', env: 'prod' },
      running: 1,
      limit: 4,
      draining: false,
      serving: true,
      started: '2027-01-15T08:00:00.000Z',
    })
  })

  test('sees two agents of one name both, and one that answers twice once', async () => {
    const found = await findAmong([tells('db1'), tells('db1', { id: 'TWIN' }), tells('db1')])
    assert.deepEqual(
      found.map(({ id }) => id),
      ['ID-OF-db1', 'TWIN'],
    )
  })

  test('drops what no agent says, and finds the others', async () => {
    const odd = (data: Record<string, unknown>) =>
      tells('odd', { endpoints: [{ data: { ...tells('odd').endpoints[0]!.data, ...data } }] })
    const labels = (text: string) => tells('odd', { metadata: { name: 'odd', labels: text } })
    const none: (Told | string | Uint8Array)[] = [
      '',
      'no json',
      'null',
      '[]',
      new Uint8Array([0xff, 0xfe]),
      tells('ODD'),
      tells('odd', { name: 'another-service' }),
      tells('odd', { id: '\u001b[2J' }),
      tells('odd', { version: 'one' }),
      tells('odd', { started: 'yesterday' }),
      tells('odd', { endpoints: [] }),
      ...[-1, 1.5, '1', null].map(running => odd({ running })),
      odd({ limit: 2 ** 60 }),
      odd({ draining: 'no' }),
      odd({ serving: 1 }),
      labels('{}'),
      labels('["Role=db"]'),
      labels(JSON.stringify(Array.from({ length: 65 }, (_, n) => `l${n}=x`))),
    ]
    assert.deepEqual(namesOf(await findAmong([...none, tells('db1')])), ['db1'])
  })

  test('reads nothing that is larger than an agent tells', async () => {
    const padding = (bytes: number) =>
      'x'.repeat(bytes - JSON.stringify(tells('large', { padding: '' })).length)
    const most = 64 << 10
    const found = await findAmong([
      tells('large', { padding: padding(most + 1) }),
      tells('exact', { padding: padding(most) }),
    ])
    assert.deepEqual(namesOf(found), ['exact'])
  })

  test('is done at once when there are none', async () => {
    await agents.flush()
    const found = await withDeadline(
      findHosts(client, { waitMs: FOR_EVER_MS, stallMs: FOR_EVER_MS }),
      'end of the search',
    )
    assert.deepEqual(found, [])
  })

  test('is done after a time, also where somebody answers again and again', async () => {
    const talking = new Set<NodeJS.Timeout>()
    const endless = agents.subscribe('$SRV.STATS.newdt-auto', {
      callback(_error, message) {
        talking.add(setInterval(() => message.respond(JSON.stringify(tells('db1'))), 5))
      },
    })
    await agents.flush()
    try {
      const found = findHosts(client, { waitMs: 500, stallMs: FOR_EVER_MS })
      assert.deepEqual(namesOf(await withDeadline(found, 'end of the search')), ['db1'])
    } finally {
      for (const timer of talking) clearInterval(timer)
      endless.unsubscribe()
    }
  })

  test('is told when the engine does not let them look, or hear', async () => {
    for (const user of ['blind', 'deaf']) {
      await using one = await connect({ servers: engine.url, user, pass: 'a' }).then(connection => ({
        connection,
        [Symbol.asyncDispose]: () => connection.close(),
      }))
      const found = findHosts(one.connection, { waitMs: FOR_EVER_MS, stallMs: FOR_EVER_MS })
      await assert.rejects(
        withDeadline(found, 'refusal'),
        (error: unknown) => error instanceof FleetError && error.fault === 'not-allowed',
        user,
      )
    }
  })
})
