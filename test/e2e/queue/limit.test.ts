import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHome } from '../../support/agent.ts'
import { createPublisher } from '../../support/fleet-queue.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { sideBySide } from '../../support/side-by-side.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const test = sideBySide('a limit', 3)

const env = { AGENT_LABELS: 'role=db' }

test('of a label at most so many jobs run at a time over the whole fleet', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const file = join(createHome().path, 'steps')
  const agents = await Promise.all(['db1', 'db2', 'db3'].map(name => startFleetAgent(engine, name, { env })))
  const ids = await Promise.all(
    Array.from({ length: 8 }, () =>
      publisher.submit(`echo + >> ${file}; sleep 0.3; echo - >> ${file}`, { limit: 2 }),
    ),
  )
  for (const id of ids) assert.equal((await publisher.end(id)).state, 'ended')
  let [now, most] = [0, 0]
  for (const step of readFileSync(file, 'utf8').trim().split('\n')) {
    now += step === '+' ? 1 : -1
    most = Math.max(most, now)
  }
  assert.equal(most, 2)
  await Promise.all(agents.map(agent => agent.end()))
})

test('what waits for a lease holds up none that needs none', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const agent = await startFleetAgent(engine, 'db1', { env })
  const first = await publisher.submit('sleep 60', { limit: 1 })
  await publisher.running(first)
  const second = await publisher.submit('true', { limit: 1 })
  const free = await publisher.submit('true')
  assert.equal((await publisher.end(free)).state, 'ended')
  assert.equal((await publisher.show(second)).state, 'waiting')
  await publisher.queue.cancel(first, publisher)
  assert.equal((await publisher.end(second)).state, 'ended')
  await agent.end()
})

test('what has no limit is begun however many ahead of it wait for a lease', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine)
  const agents = await Promise.all(['db1', 'db2'].map(name => startFleetAgent(engine, name, { env })))
  const ids = await Promise.all(Array.from({ length: 100 }, () => publisher.submit('sleep 3', { limit: 1 })))
  const free = await publisher.submit('true')
  await waitFor('it has ended', async () => (await publisher.show(free)).state === 'ended')
  const states = await Promise.all(ids.map(async id => (await publisher.show(id)).state))
  assert.ok(states.filter(state => state === 'waiting').length > 90)
  // And one after the other is run.
  await waitFor('two of them have ended', async () => {
    const ended = await Promise.all(ids.slice(0, 20).map(async id => (await publisher.show(id)).state))
    return ended.filter(state => state === 'ended').length >= 2
  })
  await Promise.all(agents.map(agent => agent.end()))
})

test('what waits for a lease goes to others when its agent ends, or is drained', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  // The engine may have given a message to the pull of an agent that is gone, and waits for it.
  await using publisher = await createPublisher(engine, { ackWaitMs: 6000 })
  const agents = await Promise.all(['db1', 'db2'].map(name => startFleetAgent(engine, name, { env })))
  const first = await publisher.submit('sleep 60', { limit: 1 })
  await publisher.running(first)
  const rest = await Promise.all(Array.from({ length: 6 }, () => publisher.submit('true', { limit: 1 })))
  await waitFor('they are taken', async () => {
    const info = await publisher.manager.consumers.info('NEWDT_QUEUE', 'role=db')
    return info.num_pending === 0
  })
  await publisher.queue.cancel(first, publisher)
  process.kill(agents[0]!.pid, 'SIGUSR2')
  for (const id of rest) assert.equal((await publisher.end(id)).state, 'ended')
  assert.equal((await agents[0]!.ended).code, 0)
  await agents[1]!.end()
})

test('the lease of an agent that is killed is free after its time', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 600_000, leaseMs: 1500 })
  const first = await startFleetAgent(engine, 'db1', { env })
  const held = await publisher.submit('sleep 60', { limit: 1 })
  await publisher.running(held)
  await first.end('SIGKILL')
  const second = await startFleetAgent(engine, 'db2', { env })
  const next = await publisher.submit('true', { limit: 1 })
  assert.equal((await publisher.end(next)).state, 'ended')
  await second.end()
})

test('a lease is held for longer than its time, and through a restart of the engine', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000, leaseMs: 1000 })
  const home = createHome()
  const [go, began] = [join(home.path, 'go'), join(home.path, 'began')]
  const agents = [
    await startFleetAgent(engine, 'db1', { env }),
    await startFleetAgent(engine, 'db2', { env }),
  ]
  const first = await publisher.submit(`until [ -e ${go} ]; do sleep 0.05; done`, { limit: 1 })
  await publisher.running(first)
  await engine.restart()
  // Who holds it says so four times in its time; who waits for it asks for it once in a second.
  let asked = 0
  publisher.connection.subscribe('$KV.newdt-leases.role.db.0', { callback: () => void asked++ })
  const second = await publisher.submit(`touch ${began}`, { limit: 1 })
  await waitFor('it was asked for again and again', () => asked >= 12)
  assert.ok(!existsSync(began))
  assert.equal((await publisher.show(second)).state, 'waiting')
  writeFileSync(go, '')
  assert.equal((await publisher.end(second)).state, 'ended')
  assert.ok(existsSync(began))
  await Promise.all(agents.map(agent => agent.end()))
})
