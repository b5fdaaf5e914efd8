import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import {
  AgentEndedError,
  createHome,
  type Home,
  type RunningAgent,
  SECRET,
  startAgent,
} from '../support/agent.ts'
import { createCertificates } from '../support/certificates.ts'
import { newdt } from '../support/newdt.ts'
import { preloaded } from '../support/preloaded.ts'
import { findByText } from '../support/proc.ts'
import { type Received, type Receiver, startReceiver, status } from '../support/receiver.ts'
import { waitFor } from '../support/wait-for.ts'

const allowing = (...receivers: Receiver[]) => ({
  AGENT_NOTIFY_ALLOW: ['127.0.0.1', ...receivers.map(({ origin }) => origin)].join(),
})

const secretOf = ({ data }: Home): string => readFileSync(join(data, 'notify-secret'), 'utf8').trim()

const messages = (received: Received[], home: Home) => received.map(one => one.verify(secretOf(home)))

/** The job, once it says that of all its callbacks. */
const settledJob = (agent: RunningAgent, id: string, state = 'delivered'): Promise<JobJson> =>
  waitFor(`all callbacks of the job are ${state}`, async () => {
    const job = await agent.job(id)
    return job.notifications?.every(one => one.state === state) && job
  })

const metric = async (agent: RunningAgent, name: string): Promise<number> => {
  const text = await (await agent.fetch('/metrics')).text()
  return Number(new RegExp(`^newdt_outbox_${name}\\{sink="callback"\\} (.*)$`, 'm').exec(text)?.[1] ?? 0)
}

/** A directory with all programs of PATH but one. */
const pathWithout = (program: string, directory: string): string => {
  mkdirSync(directory)
  for (const from of (process.env.PATH ?? '').split(delimiter)) {
    if (!existsSync(from)) continue
    for (const name of readdirSync(from)) {
      if (name !== program && !existsSync(join(directory, name)))
        symlinkSync(join(from, name), join(directory, name))
    }
  }
  return directory
}

describe('callbacks', () => {
  test('a job tells whom it names, in order, and GET of it tells that it did', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    const agent = await startAgent(home, { env: allowing(receiver) })
    const notify = { url: `${receiver.origin}/done?token=x`, on: ['started', 'success', 'failed'] }
    const job = await agent.execute({ cmd: 'echo hello; exit 3', notify, labels: { env: 'prod' } })
    assert.deepEqual(job.notify, { ...notify, url: `${receiver.origin}/done` })
    const received = await receiver.count(2)
    assert.deepEqual(
      received.map(({ id, path }) => [id, path]),
      [
        [`${job.id}.started`, '/done?token=x'],
        [`${job.id}.ended`, '/done?token=x'],
      ],
    )
    const [started, ended] = messages(received, home)
    assert.deepEqual([started!.type, ended!.type], ['job.started', 'job.ended'])
    assert.deepEqual([started!.data.state, ended!.data.state, ended!.data.exitCode], ['running', 'failed', 3])
    assert.equal(ended!.timestamp, job.finishTime)
    assert.deepEqual(
      [ended!.data.stdout, ended!.data.stdoutBytes, ended!.data.labels],
      ['', 6, { env: 'prod' }],
    )

    const { notifications } = await settledJob(agent, job.id)
    assert.deepEqual(
      notifications?.map(({ event, url, state, tries, nextTryTime, error }) => [
        event,
        url,
        state,
        tries,
        nextTryTime,
        error,
      ]),
      ['started', 'ended'].map(event => [event, `${receiver.origin}/done`, 'delivered', 1, null, '']),
    )
    assert.equal(statSync(join(home.data, 'notify-secret')).mode & 0o777, 0o600)
    assert.deepEqual([await metric(agent, 'delivered_total'), await metric(agent, 'pending')], [2, 0])
    assert.ok(!agent.output().stdout.includes('token=x'))
    await agent.end()
  })

  test('newdt says whom a job tells, and inspect what has come of it', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    const agent = await startAgent(home, { env: allowing(receiver) })
    const env = { NEWDT_HOST: agent.url, NEWDT_SECRET: SECRET }
    const options = ['--notify', `${receiver.origin}/?x=1`, '--notify-on', 'success', '--notify-on', 'failed']
    const { code } = await newdt(['run', ...options, '--', 'exit 7'], { env })
    assert.equal(code, 7)
    const [one] = await receiver.count(1)
    const { id } = one!.verify(secretOf(home)).data
    await settledJob(agent, id)
    const inspected = await newdt(['inspect', id], { env })
    const { notifications } = JSON.parse(inspected.stdout) as JobJson
    assert.deepEqual(
      notifications?.map(({ event, url, state }) => [event, url, state]),
      [['ended', `${receiver.origin}/`, 'delivered']],
    )
    await agent.end()
  })

  test('all jobs are told of to whom the settings name, rejections too', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    const secretFile = join(home.path, 'webhook-secret')
    const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`
    writeFileSync(secretFile, secret, { mode: 0o600 })
    const agent = await startAgent(home, {
      env: {
        ...allowing(receiver),
        AGENT_NOTIFY_URL: `${receiver.origin}/all?key=y`,
        AGENT_NOTIFY_ON: 'ended,rejected',
        AGENT_NOTIFY_SECRET_FILE: secretFile,
        AGENT_MAX_RUNNING: '1',
      },
    })
    const { id } = await agent.execute({ cmd: 'sleep 300', async: true })
    await agent.call('/api/jobs/execute/cmd', { method: 'POST', body: '{"cmd":"true"}', headers: JSON_BODY })
    const [rejected] = await receiver.count(1)
    assert.equal(rejected!.verify(secret).type, 'job.rejected')
    await agent.call(`/api/jobs/${id}/cancel`, { method: 'POST' })
    const [, ended] = await receiver.count(2)
    assert.deepEqual([ended!.id, ended!.verify(secret).data.state], [`${id}.ended`, 'canceled'])
    assert.deepEqual(
      (await settledJob(agent, id)).notifications?.map(({ url }) => url),
      [receiver.origin],
      'the path of that URL is no business of whoever may read jobs',
    )
    // The secret is taken up when its file changes.
    const next = `whsec_${Buffer.alloc(24, 2).toString('base64')}`
    writeFileSync(secretFile, `${next}\n${secret}\n`)
    await waitFor('the changed secret is used', () =>
      agent.output().stdout.includes('the secret of callbacks has changed'),
    )
    await agent.execute({ cmd: 'true' })
    const third = (await receiver.count(3))[2]!
    for (const one of [secret, next]) assert.equal(third.verify(one).type, 'job.ended')
    await agent.end()
  })

  test('what fails is tried again with the same id, and a new signature', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    const answers = [status(500), status(302, { location: receiver.origin }), status(200)]
    receiver.answer((response, received) => answers.shift()!(response, received))
    const agent = await startAgent(home, { env: allowing(receiver) })
    const { id } = await agent.execute({ cmd: 'true', notify: { url: `${receiver.origin}/?token=x` } })
    await receiver.count(1)
    const waiting = await waitFor('the failed try is told', async () => {
      const { notifications } = await agent.job(id)
      return notifications?.[0]?.tries === 1 && notifications[0]
    })
    assert.deepEqual([waiting.state, waiting.error], ['pending', 'status 500'])
    assert.ok(waiting.nextTryTime! > waiting.lastTryTime!)
    const received = await receiver.count(3)
    assert.deepEqual([...new Set(received.map(one => one.id))], [`${id}.ended`])
    assert.equal(new Set(received.map(one => one.body)).size, 1)
    for (const one of received) one.verify(secretOf(home))
    const [notification] = (await settledJob(agent, id)).notifications!
    assert.deepEqual([notification!.tries, notification!.error], [3, 'status 302'])
    assert.equal(await metric(agent, 'failed_tries_total'), 2)
    await agent.end()
    const { stdout } = agent.output()
    assert.match(stdout, /"msg":"not delivered; it is tried again"/)
    assert.match(stdout, /"msg":"delivered after all"/)
    assert.ok(!stdout.includes('token=x'))
  })

  test('what nobody wants any more is given up at once, loudly', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    receiver.answer(status(410))
    const agent = await startAgent(home, { env: allowing(receiver) })
    const { id } = await agent.execute({ cmd: 'true', notify: { url: receiver.origin } })
    const [notification] = (await settledJob(agent, id, 'given-up')).notifications!
    assert.deepEqual([notification!.tries, notification!.error], [1, 'not wanted any more'])
    assert.equal(await metric(agent, 'given_up_total'), 1)
    await agent.end()
    assert.match(agent.output().stdout, /"level":50.*GIVEN UP/)
  })

  test('a receiver that hangs holds up no other, and not the end of the agent', async () => {
    const home = createHome()
    const [hanging, good] = [await startReceiver(), await startReceiver()]
    const hung = { now: 0, most: 0 }
    hanging.answer(response => {
      hung.most = Math.max(hung.most, ++hung.now)
      response.on('close', () => hung.now--)
    })
    const agent = await startAgent(home, { env: allowing(hanging, good) })
    const jobs = []
    for (let count = 0; count < 8; count++)
      jobs.push(await agent.execute({ cmd: 'true', notify: { url: hanging.origin } }))
    await hanging.count(4)
    const { id } = await agent.execute({ cmd: 'true', notify: { url: good.origin } })
    await settledJob(agent, id)
    assert.equal(hung.most, 4, 'of one origin four at a time')
    assert.equal(await metric(agent, 'pending'), 8)
    const { code } = await agent.end()
    assert.equal(code, 0)
  })
})

describe('callbacks of an agent that ends', () => {
  test('one that hangs while it is connected to does not hold up the end, and comes again', async () => {
    const home = createHome()
    const sockets: Socket[] = []
    const server = createServer(socket => void sockets.push(socket.on('error', () => {})))
    after(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const agent = await startAgent(home, { env: { AGENT_NOTIFY_ALLOW: `127.0.0.1,${url}` } })
    await agent.execute({ cmd: 'true', notify: { url } })
    await waitFor('it is connected to', () => sockets.length > 0)
    const { code, stdout } = await agent.end()
    assert.deepEqual([code, stdout.includes('"msg":"stopped"')], [0, true])
    await home.assertClean()
    const database = new DatabaseSync(join(home.data, 'newdt-auto.db'))
    assert.deepEqual(
      { ...database.prepare('SELECT state, tries FROM outbox').get() },
      { state: 'pending', tries: 0 },
    )
    database.close()
  })

  test('names whose look-up hangs hold up neither other names nor the end', async t => {
    const home = createHome()
    const slow = preloaded(home.path, 'slow-names')
    if (!slow) return t.skip('there is no C compiler')
    const receiver = await startReceiver()
    const good = `http://good.test:${receiver.port}`
    const hanging = Array.from({ length: 6 }, (_, index) => `http://${index}.slow.test`)
    const AGENT_NOTIFY_ALLOW = ['127.0.0.1', good, ...hanging].join()
    const agent = await startAgent(home, { env: { ...slow, AGENT_NOTIFY_ALLOW } })
    for (const url of [...hanging, ...hanging]) await agent.execute({ cmd: 'true', notify: { url } })
    const { id } = await agent.execute({ cmd: 'true', notify: { url: good } })
    const [{ tries } = { tries: 0 }] = (await settledJob(agent, id)).notifications!
    assert.equal(tries, 1)
    const { code, stdout } = await agent.end()
    assert.deepEqual([code, stdout.includes('"msg":"stopped"')], [0, true])
    await home.assertClean()
  })

  test('nor do they where there is no getent and the agent looks up itself', async t => {
    const home = createHome()
    const slow = preloaded(home.path, 'slow-names')
    if (!slow) return t.skip('there is no C compiler')
    const url = 'http://slow.test'
    const PATH = pathWithout('getent', join(home.path, 'bin'))
    const agent = await startAgent(home, { env: { ...slow, PATH, AGENT_NOTIFY_ALLOW: url } })
    const { id } = await agent.execute({ cmd: 'true', notify: { url } })
    await waitFor('a look-up was too slow', async () => (await agent.job(id)).notifications?.[0]?.tries === 1)
    const { code, stdout } = await agent.end()
    assert.deepEqual([code, stdout.includes('"msg":"stopped"')], [0, true])
    await home.assertClean()
  })

  test('killed, it leaves no look-up behind that hangs', async t => {
    const home = createHome()
    const slow = preloaded(home.path, 'slow-names')
    if (!slow) return t.skip('there is no C compiler')
    const host = `${process.pid}.killed.slow.test`
    const url = `http://${host}`
    const agent = await startAgent(home, { env: { ...slow, AGENT_NOTIFY_ALLOW: url } })
    await agent.execute({ cmd: 'true', notify: { url } })
    await waitFor('it hangs', () => findByText(`getent\0ahosts\0--\0${host}`).length > 0)
    await agent.end('SIGKILL')
    await waitFor('nothing is left', () => findByText(host).length === 0)
  })

  test('what it could not deliver is delivered by the next one, with the same id', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    receiver.answer(status(503))
    const env = allowing(receiver)
    const first = await startAgent(home, { env })
    const { id } = await first.execute({ cmd: 'true', notify: { url: receiver.origin } })
    await receiver.count(1)
    await first.end()
    const before = receiver.received.length
    receiver.answer(status(200))
    const second = await startAgent(home, { env })
    const received = await receiver.count(before + 1)
    assert.deepEqual([...new Set(received.map(one => one.id))], [`${id}.ended`])
    await settledJob(second, id)
    await second.end()
  })

  test('killed while it delivers, it delivers once more', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    receiver.answer(() => {})
    const env = allowing(receiver)
    const first = await startAgent(home, { env })
    const { id } = await first.execute({ cmd: 'echo x', notify: { url: receiver.origin } })
    await receiver.count(1)
    await first.end('SIGKILL')
    receiver.answer(status(200))
    const second = await startAgent(home, { env })
    const [one, other] = await receiver.count(2)
    assert.deepEqual([one!.id, other!.id, one!.body === other!.body], [`${id}.ended`, `${id}.ended`, true])
    assert.equal(other!.verify(secretOf(home)).data.state, 'success')
    await settledJob(second, id)
    await second.end()
    assert.equal(receiver.received.length, 2)
  })

  test('killed while a job runs, the next one tells that it was lost', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    const env = allowing(receiver)
    const first = await startAgent(home, { env })
    const notify = { url: receiver.origin, on: ['started', 'failed'] }
    const { id } = await first.execute({ cmd: 'sleep 300', async: true, notify })
    await settledJob(first, id)
    await first.end('SIGKILL')
    const second = await startAgent(home, { env })
    const received = await receiver.count(2)
    const [started, lost] = messages(received, home)
    assert.deepEqual([started!.type, lost!.type], ['job.started', 'job.ended'])
    assert.deepEqual([lost!.data.state, lost!.data.reason], ['failed', 'agent-lost'])
    await settledJob(second, id)
    await second.end()
    await home.assertClean()
  })

  test('its jobs tell that they were stopped: what is recorded last is delivered, at the next start at the latest', async () => {
    const home = createHome()
    const receiver = await startReceiver()
    const env = allowing(receiver)
    const first = await startAgent(home, { env })
    const { id } = await first.execute({
      cmd: 'sleep 300',
      async: true,
      notify: { url: receiver.origin, on: ['canceled'] },
    })
    await first.end()
    const second = await startAgent(home, { env })
    const [one] = await receiver.count(1)
    assert.deepEqual([one!.id, one!.verify(secretOf(home)).data.reason], [`${id}.ended`, 'agent-stopped'])
    await settledJob(second, id)
    await second.end()
  })
})

describe('where callbacks may go', () => {
  const home = createHome()
  after(() => home.remove())

  test('nowhere by default: a job that wants one is refused, and no secret is made up', async () => {
    const receiver = await startReceiver()
    const agent = await startAgent(home)
    const refused = await submit(agent, { cmd: 'true', notify: { url: receiver.origin } })
    assert.deepEqual([refused.code, refused.error], [403, 'notify-not-allowed'])
    assert.match(refused.msg, /^notify\.url /)
    assert.throws(() => secretOf(home), /ENOENT/)
    assert.ok(!(await (await agent.fetch('/metrics')).text()).includes('newdt_outbox_pending{'))
    await agent.end()
    assert.equal(receiver.connections(), 0)
  })

  test('to allowed origins alone, and there to no address of this host unless it is listed', async () => {
    const [receiver, other] = [await startReceiver(), await startReceiver()]
    const agent = await startAgent(home, { env: { AGENT_NOTIFY_ALLOW: receiver.origin } })
    for (const url of [
      other.origin,
      `http://localhost:${receiver.port}`,
      `http://[::ffff:127.0.0.1]:${receiver.port}`,
      `https://127.0.0.1:${receiver.port}`,
      `http://127.0.0.1.example.com:${receiver.port}`,
    ]) {
      const { error } = await submit(agent, { cmd: 'true', notify: { url } })
      assert.equal(error, 'notify-not-allowed', url)
    }
    for (const url of [`http://user@127.0.0.1:${receiver.port}`, 'file:///etc/passwd'])
      assert.equal((await submit(agent, { cmd: 'true', notify: { url } })).error, 'invalid-request', url)
    // The origin is allowed, the address is not.
    const { id } = await agent.execute({ cmd: 'true', notify: { url: `http://0x7f.1:${receiver.port}/` } })
    const told = await waitFor('the failed try is told', async () => {
      const { notifications } = await agent.job(id)
      return notifications?.[0]?.tries && notifications[0]
    })
    assert.deepEqual([told.state, told.error], ['pending', 'address not allowed'])
    await agent.end()
    assert.deepEqual([receiver.connections(), other.connections()], [0, 0])
  })

  test('over TLS to a receiver whose authority Node is told of, and to no other', async () => {
    const files = createCertificates(home.path).make('receiver', '/CN=receiver')
    const tls = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
    const receiver = await startReceiver({ tls })
    const job = { cmd: 'true', notify: { url: receiver.origin } }
    const strict = await startAgent(home, { env: allowing(receiver) })
    const { id } = await strict.execute(job)
    const told = await waitFor('the failed try is told', async () => {
      const { notifications } = await strict.job(id)
      return notifications?.[0]?.tries && notifications[0]
    })
    assert.equal(told.error, 'no connection')
    await strict.end()
    assert.match(strict.output().stdout, /"detail":"DEPTH_ZERO_SELF_SIGNED_CERT"/)
    assert.equal(receiver.received.length, 0)
    const env = { ...allowing(receiver), NODE_EXTRA_CA_CERTS: files.cert }
    const agent = await startAgent(home, { env })
    await receiver.count(1)
    assert.equal(receiver.received[0]!.verify(secretOf(home)).data.id, id)
    await agent.end()
  })

  test('a wrong secret is told at the start, without what it is', async () => {
    const secretFile = join(home.path, 'wrong')
    writeFileSync(secretFile, 'whsec_SECRET', { mode: 0o600 })
    const env = { AGENT_NOTIFY_ALLOW: 'http://127.0.0.1:1', AGENT_NOTIFY_SECRET_FILE: secretFile }
    const error = await startAgent(home, { env }).catch(error => error)
    assert.ok(error instanceof AgentEndedError)
    assert.match(error.stderr, /AGENT_NOTIFY_SECRET_FILE=.*whsec_ and the base64/)
    assert.ok(!error.message.includes('whsec_SECRET'))
  })
})

const JSON_BODY = { 'Content-Type': 'application/json' }

const submit = (agent: RunningAgent, body: object) =>
  agent.call('/api/jobs/execute/cmd', { method: 'POST', body: JSON.stringify(body), headers: JSON_BODY })
