import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import {
  ClientError,
  type Credentials,
  connect,
  type JobEvent,
  type OutputOptions,
} from '../../lib/client/client.ts'
import { hashToken } from '../../lib/security/keys.ts'
import { createHome, type RunningAgent, SECRET, startAgent } from '../support/agent.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { waitFor } from '../support/wait-for.ts'

const home = createHome()
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
let agent: RunningAgent
let proxy: Awaited<ReturnType<typeof startCuttingProxy>>

before(async () => {
  const keys = [
    { id: 'default', rights: ['read', 'run', 'admin'] },
    {
      id: 'pair',
      rights: ['read', 'run'],
      ed25519: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64'),
    },
    { id: 'bearer', rights: ['read'], token: hashToken('nda_token') },
  ]
  const file = join(home.path, 'keys.json')
  writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 })
  agent = await startAgent(home, { env: { AGENT_KEYS_FILE: file } })
  proxy = await startCuttingProxy(agent.url)
})
after(() => proxy.close())

const client = (credentials: Credentials = { secret: SECRET }, url = agent.url) =>
  connect(url, { credentials, patienceMs: 20_000 })

/** The id of a new job that ends so. */
const endingWith = async (digit: string): Promise<string> => {
  for (;;) {
    const run = await client().run({ cmd: 'true' })
    assert.ok(run.ok)
    if (run.value.id.endsWith(digit)) return run.value.id
  }
}

const wordOf = async (result: Promise<{ ok: boolean; error?: ClientError }>): Promise<string | undefined> =>
  (await result).error?.word

describe('the client', () => {
  test('proves who asks by every kind of credential', async () => {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const kinds: [Credentials, string][] = [
      [{ secret: SECRET }, 'default'],
      [{ secret: SECRET, signature: 'contract' }, 'default'],
      [{ privateKey: pem, keyId: 'pair' }, 'pair'],
      [{ token: 'nda_token' }, 'bearer'],
    ]
    for (const [credentials, id] of kinds) {
      const status = await client(credentials).status()
      assert.ok(status.ok, String(!status.ok && status.error))
      assert.equal(status.value.caller.id, id)
    }
  })

  test('runs a command and a script to their ends', async () => {
    const run = await client().run({ cmd: 'cat; echo oops >&2; exit 3', stdin: 'in', labels: { a: 'b' } })
    assert.ok(run.ok)
    const { state, stdout, stderr, exitCode, labels } = run.value
    assert.deepEqual([state, stdout, stderr, exitCode, labels], ['failed', 'in', 'oops\n', 3, { a: 'b' }])
    const script = await client().script({
      scriptName: 'x.py',
      scriptType: 'python',
      scriptContent: 'import sys; print(sys.argv[1])',
      params: 'arg',
    })
    assert.equal(script.ok && script.value.stdout, 'arg\n')
  })

  test('gives failures as values, by their words', async () => {
    assert.equal(await wordOf(client({ secret: 'wrong' }).status()), 'signature-wrong')
    assert.equal(await wordOf(client().job('f'.repeat(32)).get()), 'unknown-job')
    assert.equal(await wordOf(client().run({ cmd: '' })), 'invalid-request')
    assert.equal(await wordOf(client({ token: 'nda_token' }).run({ cmd: 'true' })), 'forbidden')
    assert.equal(await wordOf(client().job('../agent').get()), 'unknown-job')
    const ended = await client().run({ cmd: 'true' })
    assert.equal(ended.ok && (await wordOf(client().job(ended.value.id).signal('HUP'))), 'job-ended')
    for (const url of ['ftp://x', 'x']) assert.throws(() => connect(url), TypeError)
    const token = { credentials: { token: 'nda_token' } }
    assert.throws(() => connect('http://db1.example.com:8080', token), /a token is sent by https only/)
    for (const url of ['https://db1', 'http://localhost', 'http://[::1]:1', 'http://127.1.2.3'])
      connect(url, token)
  })

  test('says who has answered when it was no agent, and that nobody has', async t => {
    const other = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1')
    t.after(() => other.close())
    await waitFor('the other server listens', () => other.listening)
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    assert.equal(await wordOf(connect(url).status()), 'not-an-agent')
    other.close()
    assert.equal(await wordOf(connect(url, { patienceMs: 0 }).status()), 'unreachable')
  })

  test('finds a job by the beginning of its id', async () => {
    const [first, second] = [await client().run({ cmd: 'true' }), await client().run({ cmd: 'true' })]
    assert.ok(first.ok && second.ok)
    for (const digits of [30, 31]) {
      const found = await client().find(first.value.id.slice(0, digits))
      assert.equal(found.ok && found.value.id, first.value.id)
    }
    // Whatever its last digit is.
    const last = await endingWith('f')
    const foundLast = await client().find(last.slice(0, 31))
    assert.equal(foundLast.ok && foundLast.value.id, last)
    assert.equal(await wordOf(client().find('0')), 'ambiguous-id')
    for (const prefix of ['fff', 'x', '', '../agent']) {
      assert.equal(await wordOf(client().find(prefix)), 'unknown-job', prefix)
    }
  })

  test('a submission whose answer was lost runs once', async () => {
    const mark = join(home.path, 'once')
    for (const cut of [0, 40, 400]) {
      proxy.cutAfter([cut])
      const run = await client(undefined, proxy.url).run({ cmd: `echo ${cut} >>${mark}; cat ${mark}` })
      assert.ok(run.ok)
      assert.ok(run.value.stdout.endsWith(`${cut}\n`) && run.value.stdout.split(`${cut}\n`).length === 2)
    }
  })

  test('gives what a job has written, of one stream or of both, while it runs and after', async () => {
    const submitted = await client().submit({ cmd: "printf 'a\\377'; sleep 0.1; printf b >&2; sleep 300" })
    assert.ok(submitted.ok)
    const job = submitted.value
    const bytesOf = async (options: OutputOptions = {}): Promise<string> => {
      const answer = await job.output(options)
      assert.ok(answer.ok)
      return Buffer.from(await answer.value.arrayBuffer()).toString('latin1')
    }
    await waitFor('both streams are written', async () => (await bytesOf()) === 'a\xffb')
    assert.equal(await bytesOf({ stream: 'stdout' }), 'a\xff')
    assert.equal(await bytesOf({ stream: 'stderr' }), 'b')
    await job.cancel({ grace: '0s' })
    assert.equal(await bytesOf(), 'a\xffb')
    assert.equal(await wordOf(client().job('f'.repeat(32)).output()), 'unknown-job')
  })

  test('stops when its caller does', async () => {
    const submitted = await client().submit({ cmd: 'sleep 300' })
    assert.ok(submitted.ok)
    const job = submitted.value
    const stop = new AbortController()
    const waiting = job.wait({ signal: stop.signal })
    const events = job.events({ signal: stop.signal })
    assert.equal((await events.next()).value?.type, 'start')
    stop.abort()
    assert.equal(await wordOf(waiting), 'aborted')
    await assert.rejects(events.next(), { word: 'aborted' })
    const canceled = await job.cancel({ grace: '5s' })
    assert.equal(canceled.ok && canceled.value.state, 'canceled')
  })
})

describe('the events of a job', () => {
  const OUTPUT = `import sys, os
for i in range(60):
    os.write(1, (b'out%d\\xff\\n' % i) * 40)
    os.write(2, ('错误%d\\n' % i).encode('gbk') * 20)`

  const outputOf = (events: JobEvent[], stream: string): Buffer =>
    Buffer.concat(events.flatMap(event => (event.type === stream && 'seq' in event ? [event.bytes] : [])))

  test('come once and whole, however often the connection breaks', async () => {
    const done = await client().script({
      scriptName: 'out.py',
      scriptType: 'python',
      scriptContent: OUTPUT,
      outputLimit: 10_000,
      encoding: 'gbk',
    })
    assert.ok(done.ok && done.value.state === 'success' && done.value.droppedBytes > 0)
    const { id, droppedBytes } = done.value
    const raw = async (stream: string) =>
      Buffer.from(await (await agent.fetch(`/api/jobs/${id}/${stream}`)).arrayBuffer())
    const expected = [await raw('stdout'), await raw('stderr')]

    let broken = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 15_000 }), { maxLength: 6 }), async cuts => {
        proxy.cutAfter(cuts)
        const events = await Array.fromAsync(client(undefined, proxy.url).job(id).events())
        const types = events.map(({ type }) => type)
        assert.deepEqual(
          [types[0], types.at(-1), types.filter(type => type === 'start' || type === 'end').length],
          ['start', 'end', 2],
        )
        assert.deepEqual([outputOf(events, 'stdout'), outputOf(events, 'stderr')], expected)
        const dropped = events.flatMap(event => (event.type === 'dropped' ? [event.bytes] : []))
        assert.deepEqual(dropped, [droppedBytes])
        broken += proxy.connections() - 1
      }),
      { numRuns: 25 },
    )
    assert.ok(broken > 10, `${broken} connections were cut`)
  })

  test('go on when the agent was killed and started again, and tell the end that it then knows', async () => {
    const submitted = await client(undefined, proxy.url).submit({ cmd: 'echo one; sleep 300' })
    assert.ok(submitted.ok)
    const events = client({ secret: SECRET }, agent.url).job(submitted.value.id).events()
    const first = [(await events.next()).value, (await events.next()).value]
    assert.deepEqual(
      first.map(event => event?.type),
      ['start', 'stdout'],
    )
    const port = new URL(agent.url).port
    await agent.end('SIGKILL')
    agent = await startAgent(home, {
      env: { AGENT_PORT: port, AGENT_KEYS_FILE: join(home.path, 'keys.json') },
    })
    const rest = await Array.fromAsync(events)
    const last = rest.at(-1)
    assert.ok(last?.type === 'end')
    assert.equal(last.job.reason, 'agent-lost')
    assert.equal(outputOf(rest, 'stdout').length, 0)
  })

  test('are as streams what the job writes', async () => {
    const submitted = await client().submit({ cmd: "printf 'a\\377b'; echo c >&2; printf d" })
    assert.ok(submitted.ok)
    const bytes = async (stream: ReadableStream) => [
      ...new Uint8Array(await new Response(stream).arrayBuffer()),
    ]
    assert.deepEqual(await bytes(submitted.value.stdout()), [97, 255, 98, 100])
    assert.deepEqual(await bytes(submitted.value.stderr()), [99, 10])
    await assert.rejects(new Response(client().job('0').stdout()).text(), (error: Error) =>
      error instanceof ClientError
        ? error.word === 'unknown-job'
        : /unknown-job|no such job/.test(String(error)),
    )
  })
})

test('neither client nor agent leave anything behind', async () => {
  await agent.end()
  await home.assertClean()
})
