import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { endedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { createHome } from '../../support/agent.ts'
import { createPublisher } from '../../support/fleet-queue.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { sideBySide } from '../../support/side-by-side.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const test = sideBySide('what comes again', 3)

const env = { AGENT_LABELS: 'role=db' }
const ACK_WAIT = { ackWaitMs: 1500 }

test(
  'a job outlasts the time that the engine waits: its agent says that it is at it',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, ACK_WAIT)
    const agents = [
      await startFleetAgent(engine, 'db1', { env }),
      await startFleetAgent(engine, 'db2', { env }),
    ]
    const id = await publisher.submit('sleep 5')
    const job = await publisher.end(id)
    assert.equal(job.runs.length, 1)
    assert.equal(job.state, 'ended')
    await Promise.all(agents.map(agent => agent.end()))
  },
)

test(
  'the job of an agent that is killed is run again by another, and the record tells of both',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, ACK_WAIT)
    const home = createHome()
    const first = await startFleetAgent(engine, 'db1', { env, home })
    const id = await publisher.submit(
      `if [ -e ${home.path}/tried ]; then exit 0; fi; touch ${home.path}/tried; sleep 60`,
    )
    await publisher.running(id)
    await waitFor('it has begun', () => existsSync(`${home.path}/tried`))
    await first.end('SIGKILL')
    const second = await startFleetAgent(engine, 'db2', { env })
    const job = await publisher.end(id)
    assert.deepEqual(
      job.runs.map(({ host, end }) => [host, end?.state]),
      [
        ['db1', undefined],
        ['db2', 'success'],
      ],
    )
    await waitFor('it is acknowledged', async () => (await publisher.countQueued()) === 0)
    // The first one tells what has become of its run, which changes no end.
    const again = await startFleetAgent(engine, 'db1', { env, home })
    const told = await waitFor('db1 tells of its run', async () => {
      const found = await publisher.show(id)
      return found.runs[0]?.end && found
    })
    assert.equal(told.runs[0]?.end?.reason, 'agent-lost')
    assert.equal(endedRun(told)?.host, 'db2')
    await Promise.all([second.end(), again.end()])
  },
)

test('one that is to run once is told as lost when its agent is killed', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, ACK_WAIT)
  const home = createHome()
  const file = join(home.path, 'runs')
  const first = await startFleetAgent(engine, 'db1', { env, home })
  const second = await startFleetAgent(engine, 'db2', { env: { ...env, AGENT_MAX_RUNNING: '1' } })
  await publisher.client('db2').submit({ cmd: 'sleep 60' })
  const id = await publisher.submit(`echo run >> ${file}; sleep 60`, { once: true })
  const { runs } = await publisher.running(id)
  assert.equal(runs[0]?.host, 'db1')
  await waitFor('it has begun', () => existsSync(file))
  await first.end('SIGKILL')
  const third = await startFleetAgent(engine, 'db3', { env })
  const job = await publisher.end(id)
  assert.deepEqual([job.state, job.state === 'dead' && job.reason], ['dead', 'lost'])
  assert.equal(readFileSync(file, 'utf8'), 'run\n')
  const letters = async () => (await publisher.manager.streams.info('NEWDT_DEAD')).state.messages
  await waitFor(
    'it is put aside',
    async () => (await letters()) === 1 && (await publisher.countQueued()) === 0,
  )
  await Promise.all([second.end(), third.end()])
})

test(
  'an agent that is alone does not run again what was lost with it, and another one does',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, ACK_WAIT)
    const home = createHome()
    const file = join(home.path, 'runs')
    const first = await startFleetAgent(engine, 'db1', { env, home })
    const id = await publisher.submit(`echo run >> ${file}; [ $(wc -l < ${file}) -gt 1 ] || sleep 60`)
    await publisher.running(id)
    await waitFor('it has begun', () => existsSync(file))
    await first.end('SIGKILL')
    const again = await startFleetAgent(engine, 'db1', { env, home })
    await waitFor('it was given to db1 once more', async () => (await publisher.show(id)).passes > 1)
    assert.equal(readFileSync(file, 'utf8'), 'run\n')
    const other = await startFleetAgent(engine, 'db2', { env })
    const job = await publisher.end(id)
    assert.equal(endedRun(job)?.host, 'db2')
    assert.deepEqual(
      job.runs.map(({ end }) => end?.reason),
      ['agent-lost', 'exited'],
    )
    await Promise.all([again.end(), other.end()])
  },
)

test('after as many runs as it may have it is dead, and can be submitted again', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, ACK_WAIT)
  const home = createHome()
  const go = join(home.path, 'go')
  const id = await publisher.submit(`[ -e ${go} ] || sleep 60`, { tries: 2 })
  for (const name of ['db1', 'db2']) {
    const agent = await startFleetAgent(engine, name, { env })
    await waitFor(`${name} runs it`, async () => {
      const found = await publisher.show(id)
      const run = found.runs.at(-1)
      return found.state === 'running' && run?.host === name && run.job
    })
    await agent.end('SIGKILL')
  }
  const third = await startFleetAgent(engine, 'db3', { env })
  const job = await publisher.end(id)
  assert.deepEqual([job.state === 'dead' && job.reason, job.runs.length], ['too-many-tries', 2])
  await waitFor('it is acknowledged', async () => (await publisher.countQueued()) === 0)
  await publisher.client('db3').run({ cmd: `touch ${go}` })
  const retried = await publisher.queue.retry(id)
  assert.ok(retried.ok)
  assert.notEqual(retried.value.id, id)
  assert.equal(retried.value.tries, 2)
  assert.equal(endedRun(await publisher.end(retried.value.id))?.end.state, 'success')
  const never = await publisher.queue.retry(retried.value.id)
  assert.equal(!never.ok && never.error.word, 'not-dead')
  await third.end()
})

test('an agent that is told to end gives its job to another at once', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  // Nothing but word of the agent itself can be what does it.
  await using publisher = await createPublisher(engine, { ackWaitMs: 600_000 })
  const home = createHome()
  const go = join(home.path, 'go')
  const first = await startFleetAgent(engine, 'db1', { env, home })
  const again = await publisher.submit(`[ -e ${go} ] || { touch ${go}; sleep 60; }`)
  const once = await publisher.submit('sleep 60', { once: true })
  await publisher.running(again)
  await publisher.running(once)
  await waitFor('it has begun', () => existsSync(go))
  await first.end('SIGTERM')
  const second = await startFleetAgent(engine, 'db2', { env })
  const job = await publisher.end(again)
  assert.deepEqual(
    job.runs.map(({ host, end }) => [host, end?.reason]),
    [
      ['db1', 'agent-stopped'],
      ['db2', 'exited'],
    ],
  )
  const lost = await publisher.end(once)
  assert.equal(lost.state === 'dead' && lost.reason, 'lost')
  await second.end()
})

test(
  'an agent that was stopped for too long goes on, and its end is noted beside the other',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, ACK_WAIT)
    const first = await startFleetAgent(engine, 'db1', { env })
    const id = await publisher.submit('sleep 1')
    await publisher.running(id)
    process.kill(first.pid, 'SIGSTOP')
    const second = await startFleetAgent(engine, 'db2', { env })
    const job = await publisher.end(id)
    assert.equal(endedRun(job)?.host, 'db2')
    process.kill(first.pid, 'SIGCONT')
    const told = await waitFor('db1 tells of its end', async () => {
      const found = await publisher.show(id)
      return found.runs[0]?.end && found
    })
    assert.equal(told.runs[0]?.end?.state, 'success')
    assert.equal(endedRun(told)?.host, 'db2')
    await Promise.all([first.end(), second.end()])
  },
)

// It exits with 1 where a stop takes two seconds longer than the grace period.
test('an agent whose engine does not answer ends in time, whatever it could not say', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine)
  const agent = await startFleetAgent(engine, 'db1', { env: { ...env, AGENT_KILL_GRACE: '0s' } })
  await publisher.running(await publisher.submit('sleep 60'))
  await publisher.running(await publisher.submit('sleep 60', { limit: 1 }))
  process.kill(engine.pid(), 'SIGSTOP')
  const { code } = await agent.end()
  process.kill(engine.pid(), 'SIGCONT')
  assert.equal(code, 0)
})
