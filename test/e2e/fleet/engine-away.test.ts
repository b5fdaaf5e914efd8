import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect } from '../../../lib/client/client.ts'
import { createNatsFetch } from '../../../lib/fleet/fetch-by-nats.ts'
import { createHome, SECRET, startAgent } from '../../support/agent.ts'
import { startCuttingProxy } from '../../support/cutting-proxy.ts'
import { startDroppingProxy } from '../../support/dropping-proxy.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('an agent whose engine is not there', { ...NATS_TEST, concurrency: 3 }, () => {
  test('starts, says so once, serves by HTTP meanwhile, and joins when the engine comes, and comes back', async () => {
    const engine = await startNatsServer()
    await engine.end()
    const home = createHome()
    const agent = await startAgent(home, { env: { AGENT_NATS_URL: engine.url, AGENT_NAME: 'db1' } })
    const told = (text: string) => agent.output().stdout.split(text).length - 1
    const fleetOf = async () => ((await agent.call('/api/agent')).data as { fleet: { state: string } }).fleet
    const connectedIn = async () =>
      /^newdt_fleet_connected (\d)$/m.exec(await (await agent.fetch('/metrics')).text())?.[1]
    await waitFor('it says so', () => told('THE ENGINE OF THE FLEET IS NOT THERE') === 1)
    assert.equal((await fleetOf()).state, 'disconnected')
    assert.equal(await connectedIn(), '0')
    assert.equal((await agent.execute({ cmd: 'echo by HTTP', async: false })).stdout, 'by HTTP\n')

    await engine.start()
    await waitFor('it has joined', async () => (await fleetOf()).state === 'connected')
    const connection = await connectNats({
      servers: engine.url,
      reconnectTimeWait: 100,
      maxReconnectAttempts: -1,
    })
    const fetch = createNatsFetch(connection)
    const client = connect('http://db1.host.newdt/', { credentials: { secret: SECRET }, fetch })
    assert.ok((await client.run({ cmd: 'true' })).ok)
    assert.equal(await connectedIn(), '1')
    assert.match(
      await (await agent.fetch('/metrics')).text(),
      /^newdt_fleet_requests_total\{fate="answered"\} [1-9]/m,
    )
    assert.equal(told('THE ENGINE OF THE FLEET IS NOT THERE'), 1)

    // What is asked while the engine is away is asked again when it is back.
    await engine.end('SIGKILL')
    const run = client.run({ cmd: 'echo after' })
    await waitFor('it says so again', () => told('THE ENGINE OF THE FLEET IS NOT THERE') === 2)
    await engine.start()
    const ran = await run
    assert.equal(ran.ok && ran.value.stdout, 'after\n')

    await engine.end('SIGKILL')
    const { code } = await agent.end()
    assert.equal(code, 0)
    await connection.close()
  })

  test('that stops answers what the engine had sent before it knew', async () => {
    await using engine = await startNatsServer()
    await using proxy = await startDroppingProxy(engine.port)
    const agent = await startFleetAgent(proxy, 'db1', { env: { AGENT_LABELS: 'role=db' } })
    const connection = await connectNats({ servers: engine.url })
    const fetch = createNatsFetch(connection)
    proxy.hold()
    const submitted = ['db1.host', 'db.role.any'].map(name =>
      connect(`http://${name}.newdt/`, {
        credentials: { secret: SECRET },
        fetch,
        patienceMs: 0,
      }).submit({ cmd: 'true' }),
    )
    await waitFor('both are sent', () => connection.stats().outMsgs === submitted.length)
    await connection.flush()
    process.kill(agent.pid, 'SIGTERM')
    await waitFor('it stops', () => agent.output().stdout.includes('"msg":"stopping"'))
    proxy.release()
    for (const result of await Promise.all(submitted))
      assert.equal(!result.ok && result.error.word, 'stopping')
    assert.equal((await agent.ended).code, 0)
    await connection.close()
  })

  // It exits with 1 where a stop takes two seconds longer than the grace period.
  for (const cmds of [[], ['sleep 300']]) {
    test(`that stops with ${cmds.length} jobs while the engine does not answer stops in time`, async () => {
      await using engine = await startNatsServer()
      const agent = await startFleetAgent(engine, 'db1', {
        env: { AGENT_LABELS: 'role=db', AGENT_KILL_GRACE: '0s' },
      })
      const connection = await connectNats({ servers: engine.url })
      const fetch = createNatsFetch(connection)
      const client = connect('http://db1.host.newdt/', { credentials: { secret: SECRET }, fetch })
      for (const cmd of cmds) assert.ok((await client.submit({ cmd })).ok)
      process.kill(engine.pid(), 'SIGSTOP')
      const { code } = await agent.end()
      process.kill(engine.pid(), 'SIGCONT')
      assert.equal(code, 0)
      await connection.close()
    })
  }

  test('has whoever follows a job go on as soon as it is back, when it alone was cut off', async () => {
    await using engine = await startNatsServer()
    const proxy = await startCuttingProxy(engine.url.replace('nats:', 'http:'))
    const agent = await startFleetAgent({ url: proxy.url.replace('http:', 'nats:') }, 'db1')
    const connection = await connectNats({ servers: engine.url })
    const fetch = createNatsFetch(connection)
    const client = connect('http://db1.host.newdt/', {
      credentials: { secret: SECRET },
      fetch,
      patienceMs: 20_000,
    })
    const submitted = await client.submit({
      cmd: 'for i in $(seq 1 200); do echo "line $i"; sleep 0.02; done',
    })
    assert.ok(submitted.ok)
    let heard = ''
    let cuts = 0
    let isOver = false
    const following = (async () => {
      for await (const event of submitted.value.events()) {
        if (event.type === 'stdout') heard += Buffer.from(event.bytes).toString()
        if (cuts < 2 && heard.includes(`line ${5 + 60 * cuts}\n`)) {
          cuts++
          proxy.cutAfter([])
        }
      }
      isOver = true
    })()
    // A reader that is told nothing waits for half a minute.
    await waitFor('all was heard', () => isOver, 20_000)
    await following
    assert.equal(heard, Array.from({ length: 200 }, (_, n) => `line ${n + 1}\n`).join(''))
    assert.equal(cuts, 2)
    await connection.close()
    await agent.end()
    await proxy.close()
  })

  test('of no fleet has no metrics of one, and tells of none', async () => {
    const agent = await startAgent(createHome())
    assert.doesNotMatch(await (await agent.fetch('/metrics')).text(), /newdt_fleet/)
    assert.equal(((await agent.call('/api/agent')).data as { fleet: unknown }).fleet, null)
    await agent.end()
  })
})
