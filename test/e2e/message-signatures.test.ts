import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { createHome, type Envelope, ROOT, type RunningAgent, SECRET, startAgent } from '../support/agent.ts'
import { isInstalled } from '../support/is-installed.ts'

const CMD = '/api/jobs/execute/cmd'

const skip = isInstalled('python3', 'openssl') ? false : 'python3 or openssl is not installed'

interface Request {
  url: string
  method?: string
  body?: string
  /** What is sent in the place of the signed body. */
  sentBody?: string
  keyId: string
  secret?: string
  privateKeyFile?: string
  authority?: string
  nonce?: string
  created?: number
  times?: number
  idempotencyKey?: string
  /** What is sent in the place of the signed key; null: none. */
  sentKey?: string | null
}

type Answer = [status: number, body: Envelope]

/** Signs and sends by a program that shares no code with the agent. */
const send = async (request: Request): Promise<Answer[]> => {
  const child = spawn('python3', [join(import.meta.dirname, '../support/sign-message.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(request))
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  return output
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Answer)
}

const told = (answers: Answer[]): unknown[] => answers.map(([status, { error }]) => error ?? status)

const page = (name: string): string => readFileSync(join(ROOT, name), 'utf8')
/** The program that signs whole requests; the page has a shorter one before it. */
const pythonOf = (name: string): string =>
  /```python\n(?<program>import base64, hashlib, hmac.*?)```/s.exec(page(name))!.groups!.program!

describe('an agent that is sent signed messages', { skip }, () => {
  const home = createHome()
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const privateKeyFile = join(home.path, 'private.pem')
  const keysFile = join(home.path, 'keys.json')
  writeFileSync(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const ed25519 = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  writeFileSync(keysFile, JSON.stringify({ keys: [{ id: 'platform', rights: ['read', 'run'], ed25519 }] }), {
    mode: 0o600,
  })
  const start = (env: Record<string, string> = {}) =>
    startAgent(home, { env: { AGENT_KEYS_FILE: keysFile, ...env } })
  const end = async (agent: RunningAgent) => {
    assert.equal((await agent.end()).code, 0)
    await home.assertClean()
  }
  const body = JSON.stringify({ cmd: 'echo "hello"' })
  const byKeyPair = { keyId: 'platform', privateKeyFile }
  const bySecret = { keyId: 'default', secret: SECRET }

  for (const [name, key] of Object.entries({ ed25519: byKeyPair, 'hmac-sha256': bySecret })) {
    test(`runs what is signed by ${name}, once, also after a restart`, async () => {
      const agent = await start({ AGENT_AUTH: 'strict' })
      const request = { ...key, url: agent.url + CMD, body, nonce: `of-${name}`, times: 2 }
      const created = Math.floor(Date.now() / 1000)
      const [first, second] = await send({ ...request, created })
      assert.deepEqual([first![0], (first![1].data as { stdout: string }).stdout], [200, 'hello\n'])
      assert.deepEqual([second![0], second![1].error], [401, 'nonce-used'])
      await agent.end('SIGKILL')
      const next = await start({ AGENT_PORT: new URL(agent.url).port })
      assert.deepEqual(told(await send({ ...request, created })), ['nonce-used', 'nonce-used'])
      const list = await send({ ...key, url: `${next.url}/api/jobs?limit=5&state=success`, method: 'GET' })
      assert.deepEqual(told(list), [200])
      await end(next)
    })
  }

  test('runs nothing that was changed on its way, or was meant for another host', async () => {
    const agent = await start({ AGENT_AUTHORITIES: 'db1.example.com:8080, db1' })
    const url = agent.url + CMD
    // The Host header says which one was asked for: that of this agent's port is none of its names.
    assert.deepEqual(told(await send({ ...byKeyPair, url, body })), ['authority-wrong'])
    await end(agent)
    const any = await start()
    const ask = async (change: Partial<Request>) =>
      told(await send({ ...byKeyPair, url: any.url + CMD, body, ...change }))
    assert.deepEqual(await ask({ sentBody: '{"cmd":"echo HELLO"}' }), ['content-digest-wrong'])
    assert.deepEqual(await ask({ authority: 'db2' }), ['signature-wrong'])
    assert.deepEqual(await ask({ created: 1_700_000_000 }), ['signature-expired'])
    assert.deepEqual(await ask({ keyId: 'nobody' }), ['signature-wrong'])
    const { data } = await any.call('/api/jobs')
    assert.equal((data as { cmd: string }[]).filter(({ cmd }) => cmd.includes('HELLO')).length, 0)
    await end(any)
  })

  test('takes an Idempotency-Key only if the signature covers it, and no signature whose key was taken out', async () => {
    const agent = await start()
    const submit = (change: Partial<Request>) =>
      send({ ...byKeyPair, url: agent.url + CMD, body: '{"cmd":"true"}', ...change })
    const [[status, first]] = (await submit({ idempotencyKey: 'once' })) as [Answer]
    assert.equal(status, 200)
    const [[, second]] = (await submit({ idempotencyKey: 'once' })) as [Answer]
    assert.equal((second.data as { id: string }).id, (first.data as { id: string }).id)
    const before = (await agent.call('/api/jobs')).data as object[]
    for (const [change, code] of [
      [{ sentKey: 'not signed' }, 'message-signature-malformed'],
      [{ idempotencyKey: 'once', sentKey: null }, 'message-signature-malformed'],
      [{ idempotencyKey: 'once', sentKey: 'another' }, 'signature-wrong'],
    ] as const) {
      const answers = await submit(change)
      assert.deepEqual(told(answers), [code])
      if (code === 'message-signature-malformed') assert.match(answers[0]![1].msg, /idempotency-key/)
    }
    assert.equal(((await agent.call('/api/jobs')).data as object[]).length, before.length)
    await end(agent)
  })

  test('takes no body that the signature does not cover', async () => {
    const agent = await start()
    const { url } = agent
    const answers = await send({ ...byKeyPair, url: `${url}/api/agent/drain`, sentBody: '{}' })
    assert.deepEqual(told(answers), ['forbidden'])
    const cancel = await send({ ...bySecret, url: `${url}/api/jobs/x/cancel`, sentBody: '{"grace":"1h"}' })
    assert.deepEqual(told(cancel), ['content-digest-missing'])
    assert.deepEqual(told(await send({ ...bySecret, url: `${url}/api/jobs/x/cancel` })), ['unknown-job'])
    await end(agent)
  })

  test('that is strict refuses the contract’s signature', async () => {
    const agent = await start({ AGENT_AUTH: 'strict' })
    assert.equal((await agent.call('/api/jobs')).error, 'credential-too-weak')
    await end(agent)
  })

  test('runs the example of the page on clients, which is the same in both languages', async () => {
    const program = pythonOf('docs/clients.md')
    assert.equal(pythonOf('docs/clients.zh-CN.md'), program)
    const agent = await start()
    const { host } = new URL(agent.url)
    const printed = execFileSync('python3', ['-c', program.replace('127.0.0.1:8080', host)], {
      encoding: 'utf8',
    })
    assert.equal((JSON.parse(printed) as Envelope & { data: { state: string } }).data.state, 'success')
    await end(agent)
  })
})
