import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { createHome } from '../../support/agent.ts'
import { createPublisher, DB } from '../../support/fleet-queue.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { sideBySide } from '../../support/side-by-side.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const test = sideBySide('a queue', 3)

const LABELS = { AGENT_LABELS: 'role=db' }

test('what is published before there is an agent waits for one, and is run once', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const id = await publisher.submit('echo hello; exit 3')
  assert.equal((await publisher.show(id)).state, 'waiting')
  const home = createHome()
  const agent = await startFleetAgent(engine, 'db1', { env: LABELS, home })
  const job = await publisher.end(id)
  const run = endedRun(job)
  assert.equal(run?.host, 'db1')
  assert.equal(run.end.exitCode, 3)
  assert.equal(run.end.state, 'failed')
  await waitFor('the message is acknowledged', async () => (await publisher.countQueued()) === 0)
  const found = await publisher.client('db1').job(run.job!).get()
  assert.ok(found.ok)
  assert.equal(found.value.stdout, 'hello\n')
  assert.deepEqual(found.value.queue, { id, try: 1 })
  await agent.end()
  const audit = readFileSync(join(home.data, 'audit.jsonl'), 'utf8').split('\n')
  const line = audit
    .map(text => (text === '' ? {} : JSON.parse(text)))
    .find(({ action }) => action === 'submit')
  assert.deepEqual([line.outcome, line.caller, line.queue, line.job], ['accepted', 'default', id, run.job])
})

test('an agent makes what the queue needs, and takes only what is for its labels', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  const agent = await startFleetAgent(engine, 'db1', { env: LABELS })
  await using publisher = await createPublisher(engine)
  await waitFor('there is a queue', async () => (await publisher.queue.list()).ok)
  const own = await publisher.submit('true')
  const other = await publisher.submit('true', { label: { name: 'role', value: 'web' } })
  assert.equal((await publisher.end(own)).state, 'ended')
  assert.equal((await publisher.show(other)).state, 'waiting')
  await agent.end()
})

test('an agent takes no more than it has slots, and those of a high priority first', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const home = createHome()
  const file = join(home.path, 'order')
  const submit = (name: string, more = {}) => publisher.submit(`echo ${name} >> ${file}`, more)
  const first = await publisher.submit('sleep 60')
  const agent = await startFleetAgent(engine, 'db1', { env: { ...LABELS, AGENT_MAX_RUNNING: '1' }, home })
  await publisher.running(first)
  const rest = [await submit('normal'), await submit('high', { priority: 'high' })]
  const direct = await publisher.client('db1').submit({ cmd: 'true' })
  assert.equal(!direct.ok && direct.error.word, 'too-many-jobs')
  for (const id of rest) assert.equal((await publisher.show(id)).state, 'waiting')
  const info = await publisher.manager.consumers.info('NEWDT_QUEUE', 'role=db')
  assert.equal(info.num_ack_pending, 1)
  await publisher.queue.cancel(first, publisher)
  for (const id of rest) assert.equal((await publisher.end(id)).state, 'ended')
  assert.equal(readFileSync(file, 'utf8'), 'high\nnormal\n')
  await agent.end()
})

test(
  'a queued job that runs is canceled by its agent, and one that waits is taken out',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
    const waiting = await publisher.submit('true')
    const taken = await publisher.queue.cancel(waiting, publisher)
    assert.equal(taken.ok && taken.value.state, 'canceled')
    const running = await publisher.submit('sleep 60')
    const agent = await startFleetAgent(engine, 'db1', { env: LABELS })
    await publisher.running(running)
    const canceled = await publisher.queue.cancel(running, publisher)
    assert.ok(canceled.ok)
    assert.equal(endedRun(canceled.value)?.end.reason, 'canceled')
    await waitFor('both are acknowledged', async () => (await publisher.countQueued()) === 0)
    assert.equal((await publisher.show(waiting)).runs.length, 0)
    const again = await publisher.queue.cancel(running, publisher)
    assert.equal(!again.ok && again.error.word, 'job-ended')
    const unknown = await publisher.queue.cancel('no-such-job', publisher)
    assert.equal(!unknown.ok && unknown.error.word, 'unknown-job')
    await agent.end()
  },
)

test('the same id is run once, whoever submits it how often', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const home = createHome()
  const file = join(home.path, 'runs')
  const agent = await startFleetAgent(engine, 'db1', { env: LABELS, home })
  const id = 'the-same-id'
  const submit = () => publisher.submit(`echo run >> ${file}`, { id })
  await submit()
  await publisher.end(id)
  await submit()
  // As if the engine did not remember the first any more.
  await publisher.manager.streams.purge('NEWDT_QUEUE')
  await publisher.manager.streams.update('NEWDT_QUEUE', { duplicate_window: 100e6 })
  await waitFor('it is forgotten', async () => {
    await submit()
    const dead = await publisher.manager.streams.info('NEWDT_DEAD').catch(() => undefined)
    return (dead?.state.messages ?? 0) > 0
  })
  assert.equal(readFileSync(file, 'utf8'), 'run\n')
  assert.equal((await publisher.show(id)).state, 'ended')
  await agent.end()
})

test('an agent with AGENT_QUEUE=off takes nothing', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const off = await startFleetAgent(engine, 'db1', { env: { ...LABELS, AGENT_QUEUE: 'off' } })
  const id = await publisher.submit('true')
  const on = await startFleetAgent(engine, 'db2', { env: LABELS })
  assert.equal(endedRun(await publisher.end(id))?.host, 'db2')
  await Promise.all([off.end(), on.end()])
})

test('a drained agent takes nothing more, and ends with the last that it has', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const home = createHome()
  const agent = await startFleetAgent(engine, 'db1', { env: LABELS, home })
  const running = await publisher.submit(`until [ -e ${home.path}/go ]; do sleep 0.05; done`)
  await publisher.running(running)
  process.kill(agent.pid, 'SIGUSR2')
  await waitFor('it drains', () => agent.output().stdout.includes('"msg":"draining"'))
  const later = await publisher.submit('true')
  const other = await startFleetAgent(engine, 'db2', { env: LABELS })
  assert.equal(endedRun(await publisher.end(later))?.host, 'db2')
  await other.end()
  writeFileSync(`${home.path}/go`, '')
  const { code } = await agent.ended
  assert.equal(code, 0)
  // It was told before the agent ended.
  assert.equal((await publisher.show(running)).state, 'ended')
  assert.equal(await publisher.countQueued(), 0)
})

test('the queue is listed, the newest first', NATS_TEST, async () => {
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs: 3000 })
  const ids = [await publisher.submit('first'), await publisher.submit('second', { limit: 2, once: true })]
  const listed = await publisher.queue.list()
  assert.ok(listed.ok)
  assert.deepEqual(new Set(listed.value.map(({ id }) => id)), new Set(ids))
  const second = listed.value.find(({ summary }) => summary === 'second')
  assert.deepEqual([second?.limit, second?.once, second?.label], [2, true, `${DB.name}=${DB.value}`])
})
