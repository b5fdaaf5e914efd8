import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createInbox, type NatsConnection } from '@nats-io/nats-core'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect } from '../../../lib/client/client.ts'
import { createSigner } from '../../../lib/client/credentials.ts'
import { type AnswerOfHost, askAll } from '../../../lib/fleet/ask-all.ts'
import { createNatsFetch } from '../../../lib/fleet/fetch-by-nats.ts'
import { findHosts } from '../../../lib/fleet/find-hosts.ts'
import { type Address, authorityOf } from '../../../lib/fleet/names.ts'
import { type RunningAgent, SECRET } from '../../support/agent.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const ROLE_DB: Address = { to: 'label', label: { name: 'role', value: 'db' } }
const ALL: Address = { to: 'all' }

describe('several agents of a fleet', NATS_TEST, () => {
  let engine: NatsServer
  let connection: NatsConnection
  let fetch: ReturnType<typeof createNatsFetch>
  const agents: Record<string, RunningAgent> = {}
  before(async () => {
    engine = await startNatsServer()
    connection = await connectNats({ servers: engine.url })
    fetch = createNatsFetch(connection)
    const labels = { db1: 'role=db,env=prod', db2: 'role=db', web1: 'role=web' }
    await Promise.all(
      Object.entries(labels).map(async ([name, AGENT_LABELS]) => {
        agents[name] = await startFleetAgent(engine, name, { env: { AGENT_LABELS, AGENT_MAX_RUNNING: '2' } })
      }),
    )
  })
  after(async () => {
    await connection?.close()
    await Promise.all(Object.values(agents).map(agent => agent.end()))
    await engine?.end()
  })

  const client = (authority: string, patienceMs = 5000) =>
    connect(`http://${authority}/`, { credentials: { secret: SECRET }, fetch, patienceMs })

  /** What all that are asked answer, by their names. */
  const ask = async (address: Address, target: string, body?: object, expected?: string[]) => {
    const url = new URL(`http://${authorityOf(address)}${target}`)
    const method = body ? 'POST' : 'GET'
    const bytes = body && new TextEncoder().encode(JSON.stringify(body))
    const proof = await createSigner({ secret: SECRET })({ method, url, body: bytes })
    const headers = new Map(Object.entries({ 'content-type': 'application/json', ...proof }))
    const answers: Record<string, AnswerOfHost> = {}
    for await (const answer of askAll(
      connection,
      address,
      { method, target, headers, body: bytes },
      { expected },
    ))
      answers[answer.host] = answer
    return answers
  }

  const dataOf = async (answer: AnswerOfHost | undefined) => {
    assert.ok(answer && 'response' in answer)
    return (await answer.response.json()).data
  }

  test('are all found, with what they are and have to do', async () => {
    const long = await client('web1.host.newdt').submit({ cmd: 'sleep 60' })
    assert.ok(long.ok)
    const hosts = await findHosts(connection)
    assert.deepEqual(
      hosts.map(({ name, labels, running, limit, draining, serving }) => ({
        name,
        labels,
        running,
        limit,
        draining,
        serving,
      })),
      [
        {
          name: 'db1',
          labels: { role: 'db', env: 'prod' },
          running: 0,
          limit: 2,
          draining: false,
          serving: true,
        },
        { name: 'db2', labels: { role: 'db' }, running: 0, limit: 2, draining: false, serving: true },
        { name: 'web1', labels: { role: 'web' }, running: 1, limit: 2, draining: false, serving: true },
      ],
    )
    assert.ok(
      hosts.every(({ id, version, started }) => id !== '' && version !== '' && Date.parse(started) > 0),
    )
    assert.ok((await long.value.cancel()).ok)
  })

  test('are found beside what answers and is none', async () => {
    const [good] = await findHosts(connection)
    const body = {
      type: 'io.nats.micro.v1.stats_response',
      name: 'newdt-auto',
      id: 'X1',
      version: '1.0.0',
      started: '2026-01-01T00:00:00.000Z',
      metadata: { name: 'fake', labels: '["a=b"]' },
      endpoints: [{ data: { running: 0, limit: 1, draining: false, serving: true } }],
    }
    const odd: unknown[] = [
      null,
      [],
      'x',
      { ...body, name: 'other' },
      { ...body, id: '\u001b[2J' },
      { ...body, version: 'x'.repeat(100) },
      { ...body, started: 'now' },
      { ...body, metadata: { ...body.metadata, name: 'a\nb' } },
      { ...body, metadata: { ...body.metadata, labels: '{"a":1}' } },
      { ...body, metadata: { ...body.metadata, labels: '["a"]' } },
      { ...body, metadata: { ...body.metadata, labels: JSON.stringify(Array(65).fill('a=b')) } },
      { ...body, endpoints: [] },
      { ...body, endpoints: [{ data: { ...body.endpoints[0]!.data, running: -1 } }] },
      { ...body, endpoints: [{ data: { ...body.endpoints[0]!.data, serving: 'yes' } }] },
      { ...body, padding: 'x'.repeat(70_000) },
    ]
    const texts = [...odd.map(one => JSON.stringify(one)), '{', '', '\xff']
    const rogue = connection.subscribe('$SRV.STATS.newdt-auto', {
      callback(_error, message) {
        for (const text of texts) message.respond(text)
        message.respond(JSON.stringify(body))
      },
    })
    const names = (await findHosts(connection)).map(({ name }) => name)
    rogue.unsubscribe()
    assert.deepEqual(names, ['db1', 'db2', 'fake', 'web1'])
    assert.equal(good?.name, 'db1')
  })

  test('are asked together: those with a label, and all there are', async () => {
    const byLabel = await ask(ROLE_DB, '/api/agent')
    assert.deepEqual(Object.keys(byLabel).sort(), ['db1', 'db2'])
    for (const [name, answer] of Object.entries(byLabel))
      assert.equal((await dataOf(answer)).fleet.name, name)
    const all = await ask(
      ALL,
      '/api/jobs/execute/cmd',
      { cmd: 'sleep 3; echo done', async: false },
      Object.keys(agents),
    )
    assert.deepEqual(Object.keys(all).sort(), ['db1', 'db2', 'web1'])
    for (const answer of Object.values(all)) assert.equal((await dataOf(answer)).stdout, 'done\n')
    const nobody: Address = { to: 'label', label: { name: 'role', value: 'none' } }
    await assert.rejects(ask(nobody, '/api/agent'), { fault: 'nobody-there' })
  })

  test('an answer of several is streamed to whoever reads it, also after the last has come', async () => {
    const answers = await ask(ALL, '/api/agent/history')
    const bodies = await Promise.all(
      Object.values(answers).map(async answer => (await dataOf(answer)).everyMs),
    )
    assert.equal(bodies.length, 3)
    const streams = await ask(ALL, '/api/events')
    for (const answer of Object.values(streams)) {
      assert.ok('response' in answer)
      const reader = answer.response.body!.getReader()
      assert.match(new TextDecoder().decode((await reader.read()).value), /event: /)
      await reader.cancel()
    }
  })

  test('one of many is asked only while it has a free slot', async () => {
    const whoTook = new Set<string>()
    const any = connect('http://db.role.any.newdt/', {
      credentials: { secret: SECRET },
      patienceMs: 0,
      async fetch(url, init) {
        const response = await fetch(url, init)
        whoTook.add(response.headers.get('newdt-host') ?? '')
        return response
      },
    })
    const jobs = await Promise.all(Array.from({ length: 4 }, () => submitSoon(any)))
    const full = await waitFor('nobody has a free slot any more', async () => {
      const tried = await any.submit({ cmd: 'true' })
      return !tried.ok && tried.error.message.includes('free slot') && tried.error
    })
    assert.deepEqual([full.word, full.mayBeDone], ['unreachable', false])
    const hosts = await findHosts(connection)
    assert.deepEqual(
      hosts.map(({ name, running }) => `${name} ${running}`),
      ['db1 2', 'db2 2', 'web1 0'],
    )
    assert.deepEqual([...whoTook].sort(), ['db1', 'db2'])
    for (const id of jobs) {
      for (const name of ['db1', 'db2']) await client(`${name}.host.newdt`).job(id).cancel()
    }
    await waitFor('there is a free slot again', async () => (await any.submit({ cmd: 'true' })).ok)
  })

  /** One of two may be full by now, and not have said so yet. */
  const submitSoon = (any: ReturnType<typeof client>): Promise<string> =>
    waitFor('one takes it', async () => {
      const submitted = await any.submit({ cmd: 'sleep 100' })
      return submitted.ok && submitted.value.id
    })

  test('one that drains leaves what is for one of many to others, and answers until its last job has ended', async () => {
    const name = 'db3'
    const agent = await startFleetAgent(engine, name, { env: { AGENT_LABELS: 'role=spare' } })
    const spare = client('spare.role.any.newdt', 0)
    const long = await spare.submit({ cmd: 'while [ ! -e gone ]; do sleep 0.1; done', cwd: '/tmp' })
    assert.ok(long.ok)
    const host = client(`${name}.host.newdt`)
    const waiting = host.job(long.value.id).wait()
    assert.ok((await host.drain()).ok)
    const tried = await spare.submit({ cmd: 'true' })
    assert.equal(!tried.ok && tried.error.word, 'unreachable')
    assert.equal((await findHosts(connection)).find(one => one.name === name)?.draining, true)
    assert.ok((await host.job(long.value.id).cancel()).ok)
    const ended = await waiting
    assert.equal(ended.ok && ended.value.reason, 'canceled')
    assert.equal((await agent.ended).code, 0)
    const gone = await client(`${name}.host.newdt`, 0).status()
    assert.equal(!gone.ok && gone.error.mayBeDone, false)
  })

  test('one that is stopped answers whoever waits, and then is there no more', async () => {
    const agent = await startFleetAgent(engine, 'db4', { env: { AGENT_LABELS: 'role=short' } })
    const host = client('db4.host.newdt', 0)
    const long = await host.submit({ cmd: 'sleep 100' })
    assert.ok(long.ok)
    const url = new URL(`http://db4.host.newdt/api/jobs/${long.value.id}?wait=60s`)
    const proof = await createSigner({ secret: SECRET })({ method: 'GET', url })
    const waiting = fetch(url.href, { headers: proof })
    await waitFor('somebody waits', () => agent.output().stdout.includes('"path":"/api/jobs/execute/cmd"'))
    await connection.flush()
    const { code } = await agent.end()
    assert.equal(code, 0)
    const { data } = await (await waiting).json()
    assert.deepEqual([data.state, data.reason], ['canceled', 'agent-stopped'])
    const replies: unknown[] = []
    const inbox = createInbox()
    const subscription = connection.subscribe(inbox, {
      callback: (_error, message) => void replies.push(message.headers?.code),
    })
    connection.publish('newdt.host.db4.read', '', { reply: inbox })
    await waitFor('the engine says that nobody is there', () => replies[0] === 503)
    subscription.unsubscribe()
  })

  test('of two with one name the second says so and serves nothing, until the first is gone', async () => {
    const first = await startFleetAgent(engine, 'twin', { env: { AGENT_LABELS: 'role=twin' } })
    const { AGENT_PORT } = { AGENT_PORT: 'off' }
    const second = await startTwin(AGENT_PORT)
    await waitFor('it says so', () => second.output().stdout.includes('ANOTHER AGENT HAS THIS NAME'))
    const twins = (await findHosts(connection)).filter(({ name }) => name === 'twin')
    assert.deepEqual(twins.map(({ serving }) => serving).sort(), [false, true])
    const answers = await ask({ to: 'label', label: { name: 'role', value: 'twin' } }, '/api/agent')
    assert.deepEqual(Object.keys(answers), ['twin'])
    for (let n = 0; n < 5; n++) {
      const status = await client('twin.host.newdt').status()
      assert.ok(status.ok)
    }
    await first.end()
    await waitFor('the second serves now', () => second.output().stdout.includes('"msg":"serving the fleet"'))
    assert.ok((await client('twin.host.newdt').status()).ok)
    await second.end()
  })

  const startTwin = async (port: string) => {
    const { startAgent, createHome } = await import('../../support/agent.ts')
    return startAgent(createHome(), {
      env: { AGENT_PORT: port, AGENT_NATS_URL: engine.url, AGENT_NAME: 'twin', AGENT_LABELS: 'role=twin' },
    })
  }
})
