import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect as connectNats } from '@nats-io/transport-node'
import { type Credentials, connect } from '../../../lib/client/client.ts'
import { createNatsFetch } from '../../../lib/fleet/fetch-by-nats.ts'
import { messageHeaders, WIRE } from '../../../lib/fleet/wire.ts'
import { hashToken } from '../../../lib/security/keys.ts'
import { createMessageSigner } from '../../../lib/security/message-signer.ts'
import { createHome, type RunningAgent, SECRET } from '../../support/agent.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const TOKEN = 'nda_token'
const LONG_SECRET = 'a-secret-of-32-characters-or-so.'

describe('an agent without a port, in a fleet', NATS_TEST, () => {
  let engine: NatsServer
  let agent: RunningAgent
  let connection: NatsConnection
  let fetch: ReturnType<typeof createNatsFetch>
  before(async () => {
    engine = await startNatsServer()
    const home = createHome()
    const keys = [
      { id: 'default', rights: ['read', 'run', 'admin'] },
      { id: 'bearer', rights: ['read'], token: hashToken(TOKEN) },
      { id: 'at-home', rights: ['read'], secret: LONG_SECRET, from: ['127.0.0.1'] },
    ]
    const file = join(home.path, 'keys.json')
    writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 })
    const env = {
      AGENT_KEYS_FILE: file,
      AGENT_LABELS: 'role=db,env=prod',
      AGENT_MAX_RUNNING: '20',
    }
    agent = await startFleetAgent(engine, 'db1', { env, home })
    connection = await connectNats({ servers: engine.url })
    fetch = createNatsFetch(connection)
  })
  after(async () => {
    await connection?.close()
    await agent?.end()
    await engine?.end()
  })

  const client = (host = 'db1', credentials: Credentials = { secret: SECRET }, protocol = 'http') =>
    connect(`${protocol}://${host}.host.newdt/`, { credentials, fetch, patienceMs: 20_000 })

  const startOther = async (name: string) => {
    const other = await startFleetAgent(engine, name)
    return { ...other, [Symbol.asyncDispose]: async () => void (await other.end()) }
  }

  test('runs a job for whoever asks over the engine', async () => {
    const run = await client().run({ cmd: 'echo out; echo err >&2; exit 3' })
    assert.ok(run.ok, String(!run.ok && run.error))
    const { state, stdout, stderr, exitCode, caller } = run.value
    assert.deepEqual([state, stdout, stderr, exitCode, caller], ['failed', 'out\n', 'err\n', 3, 'default'])
    const line = await waitFor('the request is in the log', () =>
      agent
        .output()
        .stdout.split('\n')
        .find(one => one.includes('"msg":"request"') && one.includes('"path":"/api/jobs/execute/cmd"')),
    )
    const { method, status, client: from, caller: by, jobId } = JSON.parse(line)
    assert.deepEqual([method, status, from, by, jobId], ['POST', 200, 'nats', 'default', run.value.id])
  })

  test('listens nowhere, and tells of the fleet that it is in', async () => {
    assert.equal(agent.url, 'nats:db1')
    assert.deepEqual(listeningSocketsOf(agent.pid), [])
    const status = await client().status()
    assert.ok(status.ok)
    assert.deepEqual(status.value.fleet, {
      name: 'db1',
      labels: { role: 'db', env: 'prod' },
      state: 'connected',
      queue: 'on',
    })
  })

  test('takes input and gives output that are larger than a message may be, byte for byte', async () => {
    const stdin = Array.from({ length: 150_000 }, (_, n) => `${n} and so on\n`).join('')
    assert.ok(stdin.length > 2 * 1024 ** 2)
    const run = await client().run({ cmd: 'cat', stdin })
    assert.ok(run.ok, String(!run.ok && run.error))
    assert.ok(run.value.stdout === stdin)
    const refused = await client().run({ cmd: 'cat', stdin: 'x'.repeat(9 * 1024 ** 2) })
    assert.equal(!refused.ok && refused.error.word, 'body-too-large')
  })

  test('jobs are followed, waited for, signaled and canceled; all of them are watched', async () => {
    const stop = new AbortController()
    const changes: string[] = []
    const watching = (async () => {
      for await (const event of client().watch({ signal: stop.signal }))
        if (event.type === 'job') changes.push(`${event.job.id} ${event.job.state}`)
        else if (event.type === 'reset') changes.push('reset')
    })().catch(error => assert.equal(error.word, 'aborted'))
    await waitFor('the watch has begun', () => changes.includes('reset'))
    const submitted = await client().submit({
      cmd: 'trap "echo usr1" USR1; while :; do echo tick; sleep 0.1; done',
    })
    assert.ok(submitted.ok)
    const job = submitted.value
    let heard = ''
    for await (const event of job.events()) {
      if (event.type === 'stdout') heard += Buffer.from(event.bytes).toString()
      if (event.type === 'stdout' && heard === 'tick\n') assert.ok((await job.signal('USR1')).ok)
      if (heard.includes('usr1')) break
    }
    const waiting = job.wait()
    assert.ok((await job.cancel()).ok)
    const ended = await waiting
    assert.equal(ended.ok && ended.value.reason, 'canceled')
    await waitFor('its end is seen', () => changes.includes(`${job.id} canceled`))
    stop.abort()
    await watching
  })

  test('what is followed goes on when the engine was away, and not a line is missing', async () => {
    const submitted = await client().submit({
      cmd: 'for i in $(seq 1 60); do echo "line $i"; sleep 0.05; done',
    })
    assert.ok(submitted.ok)
    let heard = ''
    let hasRestarted = false
    for await (const event of submitted.value.events()) {
      if (event.type === 'stdout') heard += Buffer.from(event.bytes).toString()
      if (heard.includes('line 5\n') && !hasRestarted) {
        hasRestarted = true
        await engine.restart('SIGKILL')
      }
    }
    assert.equal(heard, Array.from({ length: 60 }, (_, n) => `line ${n + 1}\n`).join(''))
    const waited = await submitted.value.wait()
    assert.equal(waited.ok && waited.value.state, 'success')
  })

  test('what anybody could send again proves nothing here', async () => {
    const words: [Credentials, string][] = [
      [{ secret: SECRET, signature: 'contract' }, 'credential-too-weak'],
      [{ token: TOKEN }, 'token-insecure'],
      [{ secret: LONG_SECRET, keyId: 'at-home' }, 'address-not-allowed'],
      [{ secret: 'wrong' }, 'signature-wrong'],
    ]
    for (const [credentials, word] of words) {
      const status = await client('db1', credentials, 'https').status()
      assert.equal(!status.ok && status.error.word, word)
    }
    const bare = await fetch('http://db1.host.newdt/api/agent')
    assert.equal((await bare.json()).error, 'signature-missing')
  })

  test('who guesses is not waited for, and who has asked before gets through meanwhile', async () => {
    const guesses = Array.from({ length: 2000 }, (_, n) =>
      connect('http://db1.host.newdt/', {
        credentials: { secret: `wrong ${n}`, keyId: `key${n}` },
        fetch,
        patienceMs: 0,
      }).status(),
    )
    const [right, ...wrong] = await Promise.all([client().status(), ...guesses])
    assert.ok(right?.ok)
    const words = new Set(wrong.map(one => !one.ok && one.error.word))
    assert.deepEqual([...words].sort(), ['signature-wrong', 'too-many-guesses'])
    assert.ok((await client().status()).ok)
  })

  test('the same message is not taken twice, nor by another agent', async () => {
    const sent: [string, RequestInit][] = []
    const recording: typeof fetch = (url, init = {}) => {
      sent.push([url, init])
      return fetch(url, init)
    }
    const once = connect('http://db1.host.newdt/', { credentials: { secret: SECRET }, fetch: recording })
    assert.ok((await once.run({ cmd: 'true' })).ok)
    const [url, init] = sent[0]!
    assert.equal((await (await fetch(url, init)).json()).error, 'nonce-used')
    await using other = await startOther('db2')
    assert.ok((await client('db2').status()).ok)
    const moved = await fetch(url.replace('db1', 'db2'), init)
    assert.equal((await moved.json()).error, 'signature-wrong')
    await other.end()
  })

  test('a subject allows what its last part says, whatever the key may', async () => {
    const stdoutOf = async (right: string, method: string, path: string, body?: object) => {
      const bytes = body && new TextEncoder().encode(JSON.stringify(body))
      const sign = createMessageSigner({ keyId: 'default', key: SECRET })
      const target = { method, authority: 'db1.host.newdt', target: path, body: bytes }
      const message = await connection.request(`newdt.host.db1.${right}`, bytes, {
        timeout: 5000,
        headers: messageHeaders(
          { [WIRE.method]: method, [WIRE.target]: path },
          Object.entries({ 'content-type': 'application/json', ...sign(target) }),
        ),
      })
      return JSON.parse(message.string())
    }
    const command = { cmd: 'true' }
    const paths: [right: string, method: string, path: string, word: string | undefined, body?: object][] = [
      ['read', 'GET', '/api/jobs', undefined],
      ['run', 'GET', '/api/jobs', 'forbidden'],
      ['admin', 'GET', '/api/jobs', 'forbidden'],
      ['read', 'POST', '/api/jobs/execute/cmd', 'forbidden', command],
      ['admin', 'POST', '/api/jobs/execute/cmd', 'forbidden', command],
      ['run', 'POST', '/api/jobs/execute/cmd', undefined, command],
      ['run', 'POST', '/api/agent/drain', 'forbidden'],
      ['read', 'POST', '/api/agent/drain', 'forbidden'],
      ['all', 'GET', '/api/jobs', 'invalid-request'],
    ]
    for (const [right, method, path, word, body] of paths)
      assert.equal((await stdoutOf(right, method, path, body)).error, word, `${right} ${path}`)
    assert.deepEqual((await stdoutOf('read', 'GET', '/api/agent')).data.caller.rights, ['read'])
  })
})

/** The ports that a process listens on. */
const listeningSocketsOf = (pid: number): string[] => {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map(fd => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      } catch {
        return undefined
      }
    }),
  )
  return ['tcp', 'tcp6'].flatMap(kind =>
    readFileSync(`/proc/${pid}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .map(line => line.trim().split(/\s+/))
      .filter(fields => fields[3] === LISTEN && inodes.has(fields[9]))
      .map(fields => fields[1]!),
  )
}

const LISTEN = '0A'
