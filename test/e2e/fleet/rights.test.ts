import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats, type NodeConnectionOptions } from '@nats-io/transport-node'
import { connect } from '../../../lib/client/client.ts'
import { askAll } from '../../../lib/fleet/ask-all.ts'
import { createNatsFetch } from '../../../lib/fleet/fetch-by-nats.ts'
import { findHosts } from '../../../lib/fleet/find-hosts.ts'
import { createQueue } from '../../../lib/fleet/queue/create-queue.ts'
import { EVENT_STREAM, QUEUE_STREAM } from '../../../lib/fleet/queue/engine-names.ts'
import { endedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { connectionOptions } from '../../../runtime/nats/connection-options.ts'
import { ensureEvents, ensureQueue } from '../../../runtime/nats/queue/ensure-engine.ts'
import { createHome, ROOT, type RunningAgent, SECRET, startAgent } from '../../support/agent.ts'
import { createCertificates } from '../../support/certificates.ts'
import { DB } from '../../support/fleet-queue.ts'
import { isInstalled } from '../../support/is-installed.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { createNkeyUser, createOperatorMode } from '../../support/nats-users.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

/** The configuration that the page shows, with these public keys. */
const configOfPage = (keys: Record<string, string>): string => {
  const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8')
  const [block] = /^authorization \{$.*?^\}$/ms.exec(page) ?? []
  assert.ok(block)
  return [...Object.entries(keys).map(([name, key]) => `${name}: "${key}"`), block].join('\n')
}

describe('an engine that knows who may what', NATS_TEST, () => {
  const [operator, db1, watcher, deployer, stranger] = [
    createNkeyUser(),
    createNkeyUser(),
    createNkeyUser(),
    createNkeyUser(),
    createNkeyUser(),
  ]
  let engine: NatsServer
  let agent: RunningAgent
  const closing: (() => Promise<unknown>)[] = []
  before(async () => {
    const keys = {
      OPS: operator.publicKey,
      DB1: db1.publicKey,
      WATCHER: watcher.publicKey,
      DEPLOYER: deployer.publicKey,
    }
    engine = await startNatsServer({ config: configOfPage(keys) })
    const { connection } = await connectAs(operator, 'operator')
    await ensureQueue(connection, [DB])
    await ensureEvents(connection)
    const home = createHome()
    agent = await startFleetAgent(engine, 'db1', {
      home,
      env: {
        AGENT_LABELS: 'role=db',
        AGENT_NATS_NKEY: db1.writeSeed(join(home.path, 'nkey')),
        AGENT_NATS_INBOX: '_INBOX.agent.db1',
      },
    })
  })
  after(async () => {
    await Promise.all(closing.map(close => close()))
    await agent?.end()
    await engine?.end()
  })

  const connectAs = async (user: ReturnType<typeof createNkeyUser>, name: string) => {
    const options: NodeConnectionOptions = {
      servers: engine.url,
      authenticator: user.authenticator,
      inboxPrefix: `_INBOX.${name}`,
    }
    const connection = await connectNats(options)
    closing.push(() => connection.close())
    const fetch = createNatsFetch(connection, { inbox: `_INBOX.${name}` })
    const client = (authority: string) =>
      connect(`http://${authority}/`, { credentials: { secret: SECRET }, fetch, patienceMs: 5000 })
    return { connection, client }
  }

  test('the agent does all that it needs with the permissions of the page', async () => {
    const { connection } = await connectAs(operator, 'operator2')
    const queue = createQueue(connection, { credentials: { secret: SECRET } })
    const submitted = await queue.submit({ cmd: 'exit 3' }, { label: DB, limit: 1, priority: 'high' })
    assert.ok(submitted.ok)
    const ended = await queue.wait(submitted.value.id)
    assert.equal(ended.ok && endedRun(ended.value)?.end.exitCode, 3)
    const refused = await queue.submit({ cmd: ' ', cwd: 'no path' }, { label: DB })
    assert.ok(refused.ok)
    const dead = await queue.wait(refused.value.id)
    assert.equal(dead.ok && dead.value.state, 'dead')
    const manager = await jetstreamManager(connection)
    await waitFor('all events are there, and nothing is left in the queue', async () => {
      const [events, left] = await Promise.all(
        [EVENT_STREAM, QUEUE_STREAM].map(name => manager.streams.info(name)),
      )
      return events!.state.messages >= 3 && left!.state.messages === 0
    })
    assert.doesNotMatch(agent.output().stdout, /ENGINE DOES NOT LET|CANNOT BE|has refused/)
  })

  test('who may look finds agents, reads and follows, and starts nothing', async () => {
    const { connection, client } = await connectAs(watcher, 'watcher')
    const inbox = '_INBOX.watcher'
    assert.deepEqual(
      (await findHosts(connection, { inbox })).map(({ name }) => name),
      ['db1'],
    )
    const host = client('db1.host.newdt')
    assert.ok((await host.list()).ok)
    const run = await host.run({ cmd: 'true' })
    assert.deepEqual(!run.ok && [run.error.word, run.error.status], ['fleet-not-allowed', 403])
    assert.match(String(!run.ok && run.error.message), /newdt\.host\.db1\.run/)
    const drained = await host.drain()
    assert.equal(!drained.ok && drained.error.word, 'fleet-not-allowed')
    const request = { method: 'POST', target: '/api/agent/drain', headers: [] }
    await assert.rejects(askAll(connection, { to: 'all' }, request, { inbox }).next(), {
      fault: 'not-allowed',
    })
  })

  test('who may run on one label runs there, and nowhere else', async () => {
    const { connection, client } = await connectAs(deployer, 'deployer')
    const submitted = await client('db.role.any.newdt').submit({ cmd: 'seq 1 100000' })
    assert.ok(submitted.ok)
    const job = client('db1.host.newdt').job(submitted.value.id)
    let bytes = 0
    for await (const event of job.events()) if (event.type === 'stdout') bytes += event.bytes.length
    assert.equal(bytes, 588_895)
    for (const authority of ['db1.host.newdt', 'web.role.any.newdt']) {
      const refused = await client(authority).submit({ cmd: 'true' })
      assert.equal(!refused.ok && refused.error.word, 'fleet-not-allowed', authority)
    }
    await assert.rejects(findHosts(connection, { inbox: '_INBOX.deployer' }), { fault: 'not-allowed' })
  })

  test('nobody receives what is for others: neither answers nor requests', async () => {
    const { connection } = await connectAs(deployer, 'deployer2')
    const own = createNatsFetch(connection, { inbox: '_INBOX.watcher' })
    const response = await own('http://db1.host.newdt/api/jobs')
    assert.equal((await response.json()).error, 'fleet-not-allowed')
    const rogue = await connectNats({ servers: engine.url, authenticator: db1.authenticator })
    closing.push(() => rogue.close())
    const refused = Promise.withResolvers<Error>()
    rogue.subscribe('newdt.host.db2.*', { callback: error => void (error && refused.resolve(error)) })
    assert.match((await refused.promise).message, /newdt\.host\.db2/)
  })

  test('nobody but an agent of a name can say that it has it', async () => {
    for (const [user, name] of [
      [watcher, 'watcher'],
      [deployer, 'deployer'],
    ] as const) {
      const { connection } = await connectAs(user, name)
      const statuses = connection.status()
      connection.publish('newdt.host.db1.name', '{"id":"evil","startedAt":0,"serving":true}')
      for await (const status of statuses) {
        if (status.type !== 'error') continue
        assert.match(status.error.message, /newdt\.host\.db1\.name/)
        break
      }
    }
    assert.doesNotMatch(agent.output().stdout, /ANOTHER AGENT/)
  })

  test('whom the engine does not know is tried again, until it does', async () => {
    const home = createHome()
    const path = stranger.writeSeed(join(home.path, 'nkey'))
    const other = await startAgent(home, {
      env: {
        AGENT_PORT: 'off',
        AGENT_NATS_URL: engine.url,
        AGENT_NAME: 'db1',
        AGENT_NATS_NKEY: path,
        AGENT_NATS_INBOX: '_INBOX.agent.db1',
      },
    })
    const away = () =>
      other.output().stdout.match(/THE ENGINE OF THE FLEET DOES NOT LET THE AGENT IN/g)?.length
    await waitFor(
      'it says that it is not let in',
      () => away() === 1 && /Authorization/i.test(other.output().stdout),
    )
    db1.writeSeed(path)
    await waitFor('it is let in', () =>
      other.output().stdout.includes('connected to the engine of the fleet'),
    )
    assert.equal(away(), 1)
    await other.end()
  })
})

test('an agent that its readers cannot reach says so once, and serves nothing', NATS_TEST, async () => {
  const may = '{ subscribe: ["newdt.host.db1.*", "newdt.all.*", "_INBOX.db1.>"], publish: [">"] }'
  await using engine = await startNatsServer({
    config: `authorization { users = [ { user: db1, password: p, permissions: ${may} }
{ user: me, password: p } ] }`,
    jetstream: false,
  })
  const url = engine.url.replace('//', '//db1:p@')
  const agent = await startAgent(createHome(), {
    env: { AGENT_PORT: 'off', AGENT_NATS_URL: url, AGENT_NAME: 'db1', AGENT_NATS_INBOX: '_INBOX.db2' },
  })
  const line = 'THE AGENT DOES NOT SERVE THE FLEET: the engine does not let it receive on AGENT_NATS_INBOX'
  await waitFor('it says so', () => agent.output().stdout.includes(line))
  const connection = await connectNats({ servers: engine.url, user: 'me', pass: 'p' })
  const client = connect('http://db1.host.newdt/', {
    credentials: { secret: SECRET },
    fetch: createNatsFetch(connection),
    patienceMs: 0,
  })
  const asked = await client.list()
  assert.equal(!asked.ok && asked.error.word, 'unreachable')
  assert.doesNotMatch(agent.output().stdout, /serving the fleet/)
  // Its secret has fewer letters than one of a fleet should have.
  assert.match(agent.output().stdout, /A SECRET IS SHORT/)
  await connection.close()
  await agent.end()
})

describe('an engine that knows users by their credentials', NATS_TEST, () => {
  test('lets an agent in by its file, also when what was in it has expired meanwhile', async () => {
    const operator = createOperatorMode()
    await using engine = await startNatsServer({ config: operator.config, jetstream: false })
    const home = createHome()
    const path = join(home.path, 'agent.creds')
    operator.writeCreds(path, Math.floor(Date.now() / 1000) + 4)
    const env = { AGENT_PORT: 'off', AGENT_NATS_URL: engine.url, AGENT_NAME: 'db1', AGENT_NATS_CREDS: path }
    const agent = await startAgent(home, { env })
    const connected = () => agent.output().stdout.match(/connected to the engine of the fleet/g)?.length ?? 0
    await waitFor('it is let in', connected)
    operator.writeCreds(path)
    await waitFor('it is let in again', () => connected() >= 2)
    await waitFor('it serves', () => agent.output().stdout.includes('"msg":"serving the fleet"'))
    await agent.end()
  })

  test('an agent with a file that holds none does not start, and says which without what is in it', async () => {
    const home = createHome()
    const path = join(home.path, 'agent.creds')
    const operator = createOperatorMode()
    for (const [setting, message] of [
      ['AGENT_NATS_CREDS', 'there are no credentials in it'],
      ['AGENT_NATS_NKEY', 'there is no nkey seed in it'],
    ] as const) {
      const { writeFileSync } = await import('node:fs')
      writeFileSync(path, 'SUxxxsecretxxx', { mode: 0o600 })
      const env = { AGENT_PORT: 'off', AGENT_NATS_URL: 'nats://127.0.0.1:1', [setting]: path }
      await assert.rejects(startAgent(home, { env }), (error: Error) => {
        assert.ok(error.message.includes(`${setting}=${path}: ${message}`), error.message)
        assert.ok(!error.message.includes('secretxxx'))
        return true
      })
      operator.writeCreds(path)
      const { chmodSync } = await import('node:fs')
      chmodSync(path, 0o644)
      await assert.rejects(startAgent(home, { env }), /it holds secrets that others may read/)
      chmodSync(path, 0o600)
    }
  })
})

describe('an engine that speaks TLS', {
  skip: NATS_TEST.skip || (isInstalled('openssl') ? false : 'no openssl'),
}, () => {
  test('is believed by its certificate, and knows the agent by its own', async () => {
    const home = createHome()
    const certificates = createCertificates(home.path)
    const authority = certificates.make('authority', '/CN=Authority')
    const server = certificates.make('server', '/CN=engine', authority)
    const own = certificates.make('agent', '/CN=db1', authority)
    const stranger = certificates.make('stranger', '/CN=Authority')
    await using engine = await startNatsServer({
      protocol: 'tls',
      config: `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${authority.cert}", verify: true }`,
    })
    const tls = {
      AGENT_NATS_TLS_CA: authority.cert,
      AGENT_NATS_TLS_CERT: own.cert,
      AGENT_NATS_TLS_KEY: own.key,
    }
    const agent = await startFleetAgent(engine, 'db1', { env: tls })
    const connection = await connectNats(
      connectionOptions({
        servers: [engine.url],
        tls: { caFile: authority.cert, certFile: own.cert, keyFile: own.key },
        inbox: '_INBOX',
      }),
    )
    const fetch = createNatsFetch(connection)
    const client = connect('http://db1.host.newdt/', { credentials: { secret: SECRET }, fetch })
    assert.ok((await client.run({ cmd: 'true' })).ok)
    await connection.close()
    await agent.end()
    for (const wrong of [
      { ...tls, AGENT_NATS_TLS_CA: stranger.cert },
      { AGENT_NATS_TLS_CA: authority.cert },
    ]) {
      const other = await startAgent(createHome(), {
        env: { AGENT_PORT: 'off', AGENT_NATS_URL: engine.url, AGENT_NAME: 'db2', ...wrong },
      })
      await waitFor('it says why', () =>
        other.output().stdout.includes('THE ENGINE OF THE FLEET IS NOT THERE'),
      )
      assert.doesNotMatch(other.output().stdout, /connected to the engine/)
      await other.end()
    }
  })

  test('is not spoken to without TLS by an agent that is told to use it', async () => {
    await using engine = await startNatsServer()
    const url = engine.url.replace('nats:', 'tls:').replace('//', '//user:pass-word@')
    const agent = await startAgent(createHome(), {
      env: { AGENT_PORT: 'off', AGENT_NATS_URL: url, AGENT_NAME: 'db1' },
    })
    await waitFor('it says why', () => /NOT THERE.*/.exec(agent.output().stdout))
    assert.doesNotMatch(agent.output().stdout, /connected to the engine|pass-word/)
    await agent.end()
  })
})
