import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { createHome, startAgent } from '../../support/agent.ts'
import { createPublisher } from '../../support/fleet-queue.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { sideBySide } from '../../support/side-by-side.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const test = sideBySide('an engine that is away, or has not all that is needed', 3)

const env = { AGENT_LABELS: 'role=db' }
/** Half of it is more than an agent needs to connect again, which takes 5 s where an attempt has to time out first. */
const ACK_WAIT_MS = 14_000

test(
  'an engine that is away for longer than it waits has no job run twice, nor told as lost',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, { ackWaitMs: ACK_WAIT_MS })
    const home = createHome()
    const [began, go] = [join(home.path, 'began'), join(home.path, 'go')]
    const agents = [
      await startFleetAgent(engine, 'db1', { env }),
      await startFleetAgent(engine, 'db2', { env }),
    ]
    const id = await publisher.submit(`touch ${began}; until [ -e ${go} ]; do sleep 0.05; done`, {
      once: true,
    })
    const [first] = (await publisher.running(id)).runs
    const waiting = publisher.end(id)
    await engine.end()
    const since = Date.now()
    await waitFor('more than the time that the engine waits', () => Date.now() - since > ACK_WAIT_MS, 60_000)
    // The other one is there before the one that has the job.
    const { pid } = agents[first?.host === 'db1' ? 0 : 1]!
    process.kill(pid, 'SIGSTOP')
    await engine.start()
    await waitFor('the other one is given the job', async () => {
      const found = await publisher.show(id)
      return found.state !== 'running' || found.suspectedAt !== null
    })
    process.kill(pid, 'SIGCONT')
    // So long that whoever might take it has.
    const restarted = Date.now()
    await waitFor('most of that time once more', () => Date.now() - restarted > ACK_WAIT_MS * 0.7)
    const { state, runs } = await publisher.show(id)
    assert.deepEqual([state, runs.length], ['running', 1])
    writeFileSync(go, '')
    assert.equal((await waiting).state, 'ended')
    await Promise.all(agents.map(agent => agent.end()))
  },
)

test('an engine that is away again and again has no job run twice, nor told as lost', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const agents = []
  for (const name of ['db1', 'db2', 'db3']) agents.push(await startFleetAgent(engine, name, { env }))
  const ids = [await publisher.submit('sleep 60'), await publisher.submit('sleep 60', { once: true })]
  for (const id of ids) await publisher.running(id)
  for (let outage = 1; outage <= 3; outage++) {
    await engine.end()
    const since = Date.now()
    await waitFor('more than the time that the engine waits', () => Date.now() - since > 3200)
    await engine.start()
    const restarted = Date.now()
    await waitFor('whoever might take a job has', () => Date.now() - restarted > 3000)
    for (const id of ids) {
      const { state, runs } = await publisher.show(id)
      assert.deepEqual([outage, state, runs.length], [outage, 'running', 1])
    }
  }
  await Promise.all(agents.map(agent => agent.end('SIGKILL')))
})

test(
  'what ends while the engine is away is told when it is there again, and nothing is run twice',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, { ackWaitMs: ACK_WAIT_MS })
    const home = createHome()
    const file = join(home.path, 'ended')
    const agents = [
      await startFleetAgent(engine, 'db1', { env }),
      await startFleetAgent(engine, 'db2', { env }),
    ]
    const id = await publisher.submit(`sleep 1; echo run >> ${file}`)
    await publisher.running(id)
    await engine.end()
    await waitFor('it has ended', () => existsSync(file))
    await engine.start()
    const job = await publisher.end(id)
    assert.equal(endedRun(job)?.end.state, 'success')
    assert.equal(job.runs.length, 1)
    await waitFor('it is acknowledged', async () => (await publisher.countQueued()) === 0)
    for (const agent of agents) assert.doesNotMatch(agent.output().stdout, /CANNOT BE USED/)
    await Promise.all(agents.map(agent => agent.end()))
  },
)

test(
  'an agent that is killed between the end of a job and its record tells it after its restart',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, { ackWaitMs: 600_000 })
    const home = createHome()
    const agent = await startFleetAgent(engine, 'db1', { env, home })
    const id = await publisher.submit('sleep 1; exit 4')
    const { runs } = await publisher.running(id)
    await engine.end()
    await waitFor('it has ended', () => agent.output().stdout.includes('"msg":"job ended"'))
    await agent.end('SIGKILL')
    await engine.start()
    assert.equal((await publisher.show(id)).state, 'running')
    const again = await startFleetAgent(engine, 'db1', { env, home })
    const run = endedRun(await publisher.end(id))
    assert.deepEqual([run?.job, run?.end.exitCode], [runs[0]?.job, 4])
    await again.end()
  },
)

test(
  'every event of every job is told once, in order, also what has happened without the engine',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
    const home = createHome()
    const agent = await startFleetAgent(engine, 'db1', { env: { ...env, AGENT_PORT: '0' }, home })
    const id = await publisher.submit('true')
    await publisher.end(id)
    await engine.end()
    const away = await agent.execute({ cmd: 'exit 5' })
    assert.equal(away.state, 'failed')
    await engine.start()
    const subjects = ['created', 'started', 'ended'].map(kind => `newdt.event.db1.${kind}`)
    const found = await waitFor('all are told', async () => {
      const info = await publisher.manager.streams.info('NEWDT_EVENTS').catch(() => undefined)
      return info?.state.messages === 6 && info
    })
    const events: { subject: string; job: string }[] = []
    for (let seq = 1; seq <= found.state.last_seq; seq++) {
      const stored = await publisher.manager.streams.getMessage('NEWDT_EVENTS', { seq })
      const { type, host, data } = stored!.json<{
        type: string
        host: string
        data: { id: string; state: string }
      }>()
      assert.deepEqual([host, type], ['db1', stored!.subject.replace('newdt.event.db1.', 'job.')])
      events.push({ subject: stored!.subject, job: data.id })
    }
    for (const job of new Set(events.map(one => one.job)))
      assert.deepEqual(
        events.filter(one => one.job === job).map(({ subject }) => subject),
        subjects,
      )
    await agent.end()
  },
)

test(
  'without JetStream an agent serves the fleet, and says in one line that there is no queue',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer({
      config: 'accounts: { PLAIN: { users: [{ user: a, password: b }] } }',
    })
    const url = engine.url.replace('nats://', 'nats://a:b@')
    const agent = await startFleetAgent({ url }, 'db1', { env })
    const lines = () => agent.output().stdout.match(/THE QUEUE OF THE FLEET CANNOT BE USED/g)?.length ?? 0
    await waitFor('it says so', () => lines() > 0)
    assert.equal(lines(), 1)
    assert.ok(agent.lives())
    await agent.end()
  },
)

test('an agent that may not make the queue uses one that is there', NATS_TEST, async () => {
  const deny = '["$JS.API.STREAM.CREATE.>", "$JS.API.CONSUMER.DURABLE.CREATE.>", "$JS.API.CONSUMER.CREATE.>"]'
  await using engine = await startNatsServer({
    config: `accounts: { FLEET: { jetstream: enabled, users: [
      { user: admin, password: b }
      { user: agent, password: b, permissions: { publish: { deny: ${deny} } } }
    ] } }`,
  })
  const urlOf = (user: string) => engine.url.replace('nats://', `nats://${user}:b@`)
  const home = createHome()
  const agent = await startAgent(home, {
    env: { ...env, AGENT_NATS_URL: urlOf('agent'), AGENT_NAME: 'db1' },
  })
  await waitFor('it says that there is none', () =>
    agent.output().stdout.includes('THE QUEUE OF THE FLEET CANNOT BE USED'),
  )
  await using publisher = await createPublisher({ url: urlOf('admin') }, { ackWaitMs: 3000, leaseMs: 60_000 })
  const id = await publisher.submit('true')
  assert.equal((await publisher.end(id)).state, 'ended')
  await agent.end()
})

test('an engine with little room has a queue, events and dead letters', NATS_TEST, async () => {
  await using engine = await startNatsServer({ jetstreamMore: 'max_file_store: 900MB' })
  const agent = await startFleetAgent(engine, 'db1', { env })
  await using publisher = await createPublisher(engine)
  await waitFor('there is a queue', async () => (await publisher.queue.list()).ok)
  const id = await publisher.submit('true')
  assert.equal((await publisher.end(id)).state, 'ended')
  await waitFor('the events are told', async () => {
    const info = await publisher.manager.streams.info('NEWDT_EVENTS').catch(() => undefined)
    return info?.state.messages === 3
  })
  assert.doesNotMatch(agent.output().stdout, /CANNOT BE/)
  await agent.end()
})

test(
  'an agent that may not take what is in one of its queues says in which, and takes from the others',
  NATS_TEST,
  async () => {
    const deny = '$JS.API.CONSUMER.MSG.NEXT.NEWDT_QUEUE.role=db'
    await using engine = await startNatsServer({
      config: `accounts: { FLEET: { jetstream: enabled, users: [
      { user: admin, password: b }
      { user: agent, password: b, permissions: { publish: { deny: ["${deny}"] } } }
    ] } }`,
    })
    const urlOf = (user: string) => engine.url.replace('nats://', `nats://${user}:b@`)
    await using publisher = await createPublisher({ url: urlOf('admin') }, { ackWaitMs: 3000 })
    const agent = await startFleetAgent({ url: urlOf('agent') }, 'db1', { env })
    const high = await publisher.submit('true', { priority: 'high' })
    assert.equal((await publisher.end(high)).state, 'ended')
    const lines = await waitFor('it says so', () =>
      agent.output().stdout.match(/^.*NOTHING IS TAKEN FROM A QUEUE.*$/gm),
    )
    assert.deepEqual(
      lines.map(line => [JSON.parse(line).consumer, JSON.parse(line).error]),
      [['role=db', `the agent may not publish to ${deny}`]],
    )
    await agent.end()
  },
)
