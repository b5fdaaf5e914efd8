import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { jetstream } from '@nats-io/jetstream'
import { headers as createHeaders } from '@nats-io/nats-core'
import { createQueue } from '../../../lib/fleet/queue/create-queue.ts'
import { endedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { createHome } from '../../support/agent.ts'
import { createPublisher, DB } from '../../support/fleet-queue.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { publishRaw, rawMessage } from '../../support/raw-queue-message.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const ID = 'deploy-2027-01-15'

const setUp = async () => {
  const stack = new AsyncDisposableStack()
  const engine = stack.use(await startNatsServer())
  const publisher = stack.use(await createPublisher(engine, { ackWaitMs: 3000 }))
  const home = createHome()
  const start = async () => {
    const agent = await startFleetAgent(engine, 'db1', { env: { AGENT_LABELS: 'role=db' }, home })
    stack.defer(async () => void (await agent.end()))
  }
  const letters = async () => (await publisher.manager.streams.info('NEWDT_DEAD')).state.messages
  const publish = async (message: Parameters<typeof rawMessage>[0], name?: string) => {
    const raw = rawMessage(message)
    if (name !== undefined) raw.headers.set('Nats-Msg-Id', name)
    await publishRaw(publisher.connection, raw)
  }
  return {
    publisher,
    start,
    letters,
    publish,
    file: join(home.path, 'ran'),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('what somebody without a key has published is not signed by who retries it', NATS_TEST, async () => {
  await using own = await setUp()
  await own.publish({ id: ID, cmd: `touch ${own.file}`, secret: 'a guess' })
  await own.start()
  const refused = await own.publisher.end(ID)
  assert.equal(refused.state === 'dead' && refused.word, 'signature-wrong')
  await waitFor('it is put aside', async () => (await own.letters()) === 1)
  const retried = await own.publisher.queue.retry(ID)
  assert.equal(!retried.ok && retried.error.word, 'not-signed')
  assert.ok(!existsSync(own.file))
})

test(
  'a dead letter that somebody has changed is not retried, nor one that another key has signed',
  NATS_TEST,
  async () => {
    await using own = await setUp()
    const { publisher } = own
    await own.publish({ id: ID, cmd: 'true', expiresIn: -1 })
    await own.start()
    await publisher.end(ID)
    await waitFor('it is put aside', async () => (await own.letters()) === 1)
    const another = createQueue(publisher.connection, { credentials: { secret: 'another secret' } })
    const theirs = await another.retry(ID)
    assert.equal(!theirs.ok && theirs.error.word, 'not-signed')
    const retried = await publisher.queue.retry(ID)
    assert.ok(retried.ok)
    assert.equal((await publisher.end(retried.value.id)).state, 'ended')
    const subject = `newdt.dead.role.db.${ID}`
    const letter = await publisher.manager.streams.getMessage('NEWDT_DEAD', { last_by_subj: subject })
    const headers = createHeaders()
    for (const [name, values] of letter!.header)
      if (!/^nats-/i.test(name)) for (const value of values) headers.append(name, value)
    await jetstream(publisher.connection).publish(subject, `{"cmd":"touch ${own.file}"}`, { headers })
    const changed = await publisher.queue.retry(ID)
    assert.equal(!changed.ok && changed.error.word, 'not-signed')
  },
)

test(
  'who publishes under the id of another first does not keep the job from being run',
  NATS_TEST,
  async () => {
    await using own = await setUp()
    const submit = () => own.publisher.queue.submit({ cmd: `echo ran >> ${own.file}` }, { label: DB, id: ID })
    // The engine takes one message of a name, and has this one.
    await own.publish({ id: ID, cmd: 'true', secret: 'a guess' }, ID)
    await own.start()
    await own.publisher.end(ID)
    for (let times = 0; times < 2; times++) {
      const submitted = await submit()
      assert.ok(submitted.ok)
      assert.equal(endedRun(await own.publisher.end(ID))?.end.state, 'success')
    }
    assert.equal(readFileSync(own.file, 'utf8'), 'ran\n')
  },
)

test('who publishes under the id of another while no agent is there does not either', NATS_TEST, async () => {
  await using own = await setUp()
  await own.publish({ id: ID, cmd: 'true', secret: 'a guess' }, ID)
  const submitted = await own.publisher.queue.submit(
    { cmd: `echo ran >> ${own.file}` },
    { label: DB, id: ID },
  )
  assert.ok(submitted.ok)
  await own.start()
  assert.equal(endedRun(await own.publisher.end(ID))?.end.state, 'success')
  assert.equal(readFileSync(own.file, 'utf8'), 'ran\n')
})

test('another job under the same id is refused, and the same one is not run again', NATS_TEST, async () => {
  await using own = await setUp()
  await own.start()
  const submit = (cmd: string, more = {}) =>
    own.publisher.queue.submit({ cmd }, { label: DB, id: ID, ...more })
  const first = await submit(`echo ran >> ${own.file}`)
  const same = await submit(`echo ran >> ${own.file}`)
  assert.ok(first.ok && same.ok)
  assert.equal(same.value.fingerprint, first.value.fingerprint)
  const others = [
    await submit('true'),
    await submit(`echo ran >> ${own.file}`, { once: true }),
    await submit(`echo ran >> ${own.file}`, { label: { ...DB, value: 'web' } }),
  ]
  for (const other of others) assert.equal(!other.ok && other.error.word, 'key-reused')
  await own.publisher.end(ID)
  assert.equal(readFileSync(own.file, 'utf8'), 'ran\n')
})
