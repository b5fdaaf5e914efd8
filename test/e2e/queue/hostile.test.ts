import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test as nodeTest } from 'node:test'
import { Kvm } from '@nats-io/kv'
import { claimed } from '../../../lib/fleet/queue/changes.ts'
import { fingerprintOf, parseMessage } from '../../../lib/fleet/queue/message.ts'
import { endedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { waitingJob } from '../../lib/fleet/queue/sample.ts'
import { createHome, type Home } from '../../support/agent.ts'
import { createPublisher } from '../../support/fleet-queue.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { publishRaw, type RawMessageOptions, rawMessage } from '../../support/raw-queue-message.ts'
import { sideBySide } from '../../support/side-by-side.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const test = sideBySide('messages of others', 3)

const LABELS = { AGENT_LABELS: 'role=db,env=prod' }
const CI = { id: 'ci', rights: ['run'], secret: 'the secret of ci', commands: ['true'] }
const VIEWER = { id: 'viewer', rights: ['read'], secret: 'the secret of a viewer' }
const OWNER = { id: 'owner', rights: ['read', 'run', 'admin'], secret: 'the secret of the owner' }
const AS_OWNER = { keyId: 'owner', secret: OWNER.secret }

/** Writes a whole file in the place of another, as configuration tools do. */
const writeKeys = (path: string, keys: object[]): void => {
  writeFileSync(`${path}.new`, JSON.stringify({ keys }), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const setUp = async ({ env = {} }: { env?: Record<string, string> } = {}) => {
  const stack = new AsyncDisposableStack()
  const engine = stack.use(await startNatsServer())
  const publisher = stack.use(await createPublisher(engine, { ackWaitMs: 3000, ...AS_OWNER }))
  const home = createHome()
  const keys = join(home.path, 'keys.json')
  writeKeys(keys, [CI, VIEWER, OWNER])
  const start = async () => {
    const agent = await startFleetAgent(engine, 'db1', {
      env: { ...LABELS, AGENT_KEYS_FILE: keys, ...env },
      home,
    })
    stack.defer(async () => void (await agent.end()))
    return agent
  }
  const records = await new Kvm(publisher.connection).open('newdt-queue')
  const letters = async (): Promise<string[]> => {
    const found: string[] = []
    const { state } = await publisher.manager.streams
      .info('NEWDT_DEAD')
      .catch(() => ({ state: { last_seq: 0 } }))
    for (let seq = 1; seq <= state.last_seq; seq++) {
      const stored = await publisher.manager.streams.getMessage('NEWDT_DEAD', { seq })
      if (stored) found.push(stored.header.get('Newdt-Dead-Reason'))
    }
    return found
  }
  const send = (message: RawMessageOptions, subject?: string) =>
    publishRaw(publisher.connection, rawMessage(message), subject)
  return {
    publisher,
    home,
    keys,
    start,
    records,
    letters,
    send,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

type SetUp = Awaited<ReturnType<typeof setUp>>

/** The job is dead with this word, and nothing of it has run. */
const assertRefused = async (
  { publisher, home, letters }: SetUp,
  id: string,
  word: string,
): Promise<void> => {
  const job = await publisher.end(id)
  assert.deepEqual(job.state === 'dead' && [job.reason, job.word], ['refused', word])
  assert.equal(job.runs.length, 0)
  assert.ok(!existsSync(ran(home)))
  assert.deepEqual(await waitFor('it is put aside', async () => (await letters()).length > 0 && letters()), [
    `refused ${word}`,
  ])
  await waitFor('it is out of the queue', async () => (await publisher.countQueued()) === 0)
}

const ran = ({ path }: Home): string => join(path, 'ran')
const touch = (home: Home): string => `echo run >> ${ran(home)}`

test(
  'a program that only publishes a signed message has it run, and its record made',
  NATS_TEST,
  async () => {
    await using own = await setUp()
    await own.send({
      ...AS_OWNER,
      id: 'raw-message-1',
      cmd: touch(own.home),
      target: '/api/jobs/execute/cmd?tries=2',
    })
    await own.start()
    await waitFor('there is a record', () => own.records.get('raw-message-1'))
    const job = await own.publisher.end('raw-message-1')
    assert.equal(endedRun(job)?.end.state, 'success')
    assert.deepEqual([job.tries, job.summary], [2, touch(own.home)])
  },
)

describe('refused, put aside and not run', { concurrency: 3 }, () => {
  const cases: [name: string, word: string, Partial<RawMessageOptions>][] = [
    ['by a key that nobody has', 'signature-wrong', { secret: 'a guess', keyId: 'nobody' }],
    ['by a wrong secret', 'signature-wrong', { secret: 'a guess' }],
    ['by a key without the right to run', 'forbidden', { secret: VIEWER.secret, keyId: 'viewer' }],
    ['out of the bounds of its key', 'out-of-bounds', { secret: CI.secret, keyId: 'ci' }],
    ['signed for another label', 'signature-wrong', { authority: 'prod.env.queue.newdt' }],
    ['signed for a host', 'signature-wrong', { authority: 'db1.host.newdt' }],
    ['whose body was changed', 'content-digest-wrong', { body: '{"cmd":"id"}' }],
    ['whose parameters were changed', 'signature-wrong', { sentTarget: '/api/jobs/execute/cmd?once=true' }],
    ['without an expiry', 'message-signature-malformed', { expiresIn: null }],
    [
      'that would wait for more than seven days',
      'message-signature-malformed',
      { expiresIn: 7 * 86_400 + 10 },
    ],
  ]
  for (const [name, word, message] of cases) {
    nodeTest(`a message ${name}`, NATS_TEST, async () => {
      await using own = await setUp()
      await own.send({ ...AS_OWNER, id: 'hostile-message', cmd: touch(own.home), ...message })
      await own.start()
      await assertRefused(own, 'hostile-message', word)
    })
  }

  nodeTest('a message without any signature', NATS_TEST, async () => {
    await using own = await setUp()
    const { headers, body } = rawMessage({ id: 'hostile-message', cmd: touch(own.home) })
    headers.delete('Signature')
    headers.delete('Signature-Input')
    await publishRaw(own.publisher.connection, { headers, body })
    await own.start()
    await assertRefused(own, 'hostile-message', 'signature-missing')
  })

  nodeTest('a message with a header that HTTP has not', NATS_TEST, async () => {
    await using own = await setUp()
    const message = rawMessage({ ...AS_OWNER, id: 'hostile-message', cmd: touch(own.home) })
    message.headers.set('Content-Type', 'application/json; x="汉"')
    await publishRaw(own.publisher.connection, message)
    await own.start()
    await assertRefused(own, 'hostile-message', 'message-malformed')
  })

  nodeTest('a message that has no room for the reason, without its body', NATS_TEST, async () => {
    await using own = await setUp()
    const cmd = `true ${'x'.repeat((1 << 20) - 800)}`
    const message = rawMessage({ id: 'hostile-message', cmd, secret: 'a guess' })
    await publishRaw(own.publisher.connection, message)
    await own.start()
    await assertRefused(own, 'hostile-message', 'signature-wrong')
    const letter = await own.publisher.manager.streams.getMessage('NEWDT_DEAD', { seq: 1 })
    assert.equal(letter?.data.length, 0)
    assert.equal(letter.header.get('Newdt-Dead-Body-Bytes'), String(message.body.length))
    assert.equal(
      letter.header.get('Newdt-Dead-Body-SHA256'),
      createHash('sha256').update(message.body).digest('hex'),
    )
  })

  nodeTest('a message by a key that was taken out while it waited', NATS_TEST, async () => {
    await using own = await setUp()
    await own.send({ ...AS_OWNER, id: 'hostile-message', cmd: touch(own.home) })
    writeKeys(own.keys, [VIEWER])
    await own.start()
    await assertRefused(own, 'hostile-message', 'signature-wrong')
  })
})

test('what has expired while it waited is dead, and not run', NATS_TEST, async () => {
  await using own = await setUp()
  await own.send({ ...AS_OWNER, id: 'late-message', cmd: touch(own.home), expiresIn: -1 })
  await own.start()
  const job = await own.publisher.end('late-message')
  assert.equal(job.state === 'dead' && job.reason, 'expired')
  assert.ok(!existsSync(ran(own.home)))
})

test('what is no message is put aside, and those behind it are run', NATS_TEST, async () => {
  await using own = await setUp()
  const { connection } = own.publisher
  const bad = [
    rawMessage({ id: 'short', cmd: 'true' }),
    rawMessage({ id: 'hostile-message', cmd: 'true', target: '/api/jobs/execute/cmd?other=1' }),
    rawMessage({ id: 'hostile-message', cmd: 'true', target: '/api/agent/drain' }),
  ]
  connection.publish('newdt.queue.role.db', 'no headers at all')
  for (const message of bad) await publishRaw(connection, message)
  const id = await own.publisher.submit('true')
  await own.start()
  assert.equal((await own.publisher.end(id)).state, 'ended')
  await waitFor('all are put aside', async () => (await own.letters()).length === 4)
  assert.deepEqual(new Set(await own.letters()), new Set(['refused message-malformed']))
})

test(
  'who knows the id of a job that waits cannot have it end by a message of their own',
  NATS_TEST,
  async () => {
    await using own = await setUp()
    const id = await own.publisher.submit(touch(own.home))
    // The agent gets this one first.
    const mine = rawMessage({ id, cmd: 'true', secret: 'a guess' })
    await publishRaw(own.publisher.connection, mine, 'newdt.queue.role.db.high')
    await own.start()
    const job = await own.publisher.end(id)
    assert.equal(endedRun(job)?.end.state, 'success')
    assert.equal(readFileSync(ran(own.home), 'utf8'), 'run\n')
    assert.deepEqual(await own.letters(), ['refused id-used'])
  },
)

test(
  'a message that comes once more after its end runs nothing, whatever was removed meanwhile',
  NATS_TEST,
  async () => {
    await using own = await setUp({ env: { AGENT_KEEP_JOBS: '1' } })
    const { publisher, records } = own
    const id = 'replayed-message'
    const message = rawMessage({ ...AS_OWNER, id, cmd: touch(own.home) })
    const replay = async () => {
      await publishRaw(publisher.connection, message)
      await waitFor('it is out of the queue', async () => (await publisher.countQueued()) === 0)
    }
    await own.start()
    await publishRaw(publisher.connection, message)
    const { runs } = await publisher.end(id)
    const job = runs[0]!.job!
    await replay()
    // Whoever runs the engine can remove the record: the agent knows the job by its id.
    await records.purge(id)
    await replay()
    assert.equal(readFileSync(ran(own.home), 'utf8'), 'run\n')
    // And when it has no room for the job any more, it knows that there was one.
    const client = publisher.client('db1')
    await waitFor('the job is removed', async () => {
      await client.run({ cmd: 'true' })
      return !(await client.job(job).get()).ok
    })
    await records.purge(id)
    await publishRaw(publisher.connection, message)
    const refused = await publisher.end(id)
    assert.deepEqual(refused.state === 'dead' && [refused.reason, refused.word], ['refused', 'nonce-used'])
    assert.equal(readFileSync(ran(own.home), 'utf8'), 'run\n')
  },
)

test('whatever is in the bucket, a job is run as it was signed', NATS_TEST, async () => {
  await using own = await setUp()
  const mine = claimed(waitingJob(), 'db1', new Date().toISOString())!
  const readable = (one: { id: string; fingerprint: string }) =>
    JSON.stringify({ ...waitingJob(), ...one, once: true, tries: 1, limit: 1 })
  const values: ((one: { id: string; fingerprint: string }) => string)[] = [
    () => '',
    () => '{',
    () => 'null',
    () => '[]',
    one => JSON.stringify({ ...mine, ...one, runs: 7 }),
    one => JSON.stringify({ ...mine, ...one, id: 'another-id' }),
    readable,
  ]
  const ids: string[] = []
  for (const value of values) {
    const id = `job-in-a-bad-bucket-${ids.length}`
    const raw = rawMessage({ ...AS_OWNER, id, cmd: touch(own.home) })
    const message = parseMessage(raw.headers, new TextEncoder().encode(raw.body))!
    await own.records.put(id, value({ id, fingerprint: await fingerprintOf(message) }))
    await publishRaw(own.publisher.connection, raw)
    ids.push(id)
  }
  await own.start()
  for (const id of ids) {
    const job = await own.publisher.end(id)
    assert.equal(endedRun(job)?.end.state, 'success', id)
    const { once, tries, limit, runs } = job
    assert.deepEqual([once, tries, limit, runs.length], [false, 3, null, 1], id)
  }
  assert.equal(readFileSync(ran(own.home), 'utf8'), 'run\n'.repeat(ids.length))
})

test('a record that says other than what was signed changes nothing', NATS_TEST, async () => {
  await using own = await setUp()
  const id = await own.publisher.submit(touch(own.home), { tries: 1 })
  const waiting = await own.publisher.show(id)
  const at = new Date().toISOString()
  const elsewhere = { ...claimed({ ...waiting, tries: 20 }, 'db9', at)!, suspectedAt: at }
  await own.records.put(id, JSON.stringify(elsewhere))
  await own.start()
  const job = await own.publisher.end(id)
  assert.equal(job.state === 'dead' && job.reason, 'too-many-tries')
  assert.ok(!existsSync(ran(own.home)))
})
