import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type RunningAgent, SECRET, startAgent } from '../../support/agent.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'
import { waitFor } from '../../support/wait-for.ts'

const home = createHome()
let agent: RunningAgent
let env: Record<string, string>
let url: string
/** What the server that is no agent does with a request. */
let answer: (request: IncomingMessage, response: ServerResponse) => void
const server = createServer((request, response) => answer(request, response))

before(async () => {
  agent = await startAgent(home)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  env = { NEWDT_HOST: url, NEWDT_SECRET: SECRET }
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await agent.end()
})

const ID = '0'.repeat(32)
const says = (value: unknown, status = 200): void => {
  answer = (_, response) => response.writeHead(status).end(JSON.stringify(value))
}
const isOneLine = (text: string): boolean =>
  /^newdt: [^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*\n$/.test(text)

describe('newdt, asked to talk to something that is no agent', () => {
  test('tells what it says in one line, which does nothing to the terminal', async () => {
    says(
      { code: 400, success: false, error: 'invalid-request', msg: 'a\u001b[2J\u009b1m\nnewdt: forged\r' },
      400,
    )
    const { code, stdout, stderr } = await newdt(['run', '--', 'true'], { env })
    assert.deepEqual([code, stdout, isOneLine(stderr)], [125, '', true], JSON.stringify(stderr))
    assert.match(stderr, /a\\e\[2J\\x9b1m\\nnewdt: forged\\r/)
  })

  test('says that it is none, whatever it answers', async () => {
    const verbs = [
      ['run', '--', 'true'],
      ['run', '-d', '--', 'true'],
      ['ps'],
      ['inspect', ID],
      ['drain'],
      ['wait', ID],
    ]
    for (const value of [{}, null, [], { success: true, data: null }, { success: true, data: {} }, 'x']) {
      says(value)
      const ends = await Promise.all(verbs.map(verb => newdt(verb, { env })))
      for (const [index, { code, stdout, stderr }] of ends.entries()) {
        const label = `${verbs[index]} ${JSON.stringify(value)}: ${stderr}`
        assert.match(stderr, /^newdt: the answer \(HTTP 200\) is not that of an agent; check/, label)
        assert.deepEqual([code > 0, stdout], [true, ''], label)
      }
    }
  })

  test('an id that is none is not printed', async () => {
    says({ success: true, data: { id: '\u001b]0;x\u0007$(touch x)' } })
    const { code, stdout } = await newdt(['run', '-d', '--', 'true'], { env })
    assert.deepEqual([code, stdout], [125, ''])
  })

  test('a job of somebody else writes nothing on the terminal by how it ended', async () => {
    const real = { NEWDT_HOST: agent.url, NEWDT_SECRET: SECRET }
    const { id } = await agent.execute({ cmd: 'true', cwd: '/tmp/\u001b]0;PWNED\u0007\u001b[2J' })
    for (const verb of [
      ['wait', id],
      ['logs', '-f', id],
      ['top', id],
      ['ps', '-a'],
      ['rerun', id],
    ]) {
      const { stdout, stderr } = await newdt(verb, { env: real })
      assert.ok(!`${stdout}${stderr}`.includes('\u001b'), verb.join(' '))
    }
  })

  test('Ctrl-C while nobody answers ends newdt, and says that the job may run', async () => {
    let asked = 0
    answer = () => void asked++
    const live = startNewdt(['run', '--', 'true'], { env })
    await waitFor('the submission has come', () => asked > 0)
    live.child.kill('SIGINT')
    const { code, stderr } = await live.ended
    assert.equal(code, 125)
    assert.match(
      stderr.toString(),
      /^newdt: given up before the agent has answered, so the job may run: .*--idempotency-key \w{32}/,
    )
  })
})

describe('newdt, asked to talk to something that does not answer', () => {
  test('ends by the first Ctrl-C, also while it looks a job up', async () => {
    let asked = 0
    answer = () => void asked++
    const lives = ['logs', 'wait', 'top'].map(verb => startNewdt([verb, '01a2'], { env }))
    await waitFor('all have asked', () => asked === lives.length)
    for (const { child } of lives) child.kill('SIGINT')
    for (const { ended } of lives) {
      const { code, stderr } = await ended
      assert.deepEqual([code, stderr.toString()], [130, ''])
    }
  })
})

describe('newdt run --hosts, with hosts of which something is wrong', () => {
  const files = { XDG_CONFIG_HOME: home.path }
  const write = (text: string): void => {
    mkdirSync(join(home.path, 'newdt'), { recursive: true })
    writeFileSync(join(home.path, 'newdt/hosts.toml'), text, { mode: 0o600 })
  }
  const good = () => `[hosts.good]\nurl = "${agent.url}"\nsecret = "${SECRET}"\n`

  test('each is a row, and keeps none of the others', async () => {
    says({})
    write(`${good()}
      [hosts.token]\nurl = "http://10.0.0.7:8080"\ntoken = "t"\n
      [hosts.missing]\nurl = "${url}"\nsecret_file = "/nowhere"\n
      [hosts.none]\nurl = "${url}"\nsecret = "s"\n`)
    const run = await newdt(['run', '--hosts', '*', '--', 'echo hello'], { env: files })
    assert.deepEqual([run.code, run.stdout.trim().split(/ +\| /)], [1, ['good', 'hello']])
    assert.match(run.stderr, /^good +success +0 /m)
    assert.match(run.stderr, /^token +failed +- .*a token is sent by https only/m)
    assert.match(run.stderr, /^missing +failed +- .*ENOENT/m)
    assert.match(run.stderr, /^none +not-an-agent +- /m)
    const check = await newdt(['host', 'check', '-o', 'json'], { env: files })
    assert.equal(check.code, 1)
    const rows = JSON.parse(check.stdout) as { name: string; isGood: boolean }[]
    assert.deepEqual(
      rows.map(({ name, isGood }) => [name, isGood]),
      [
        ['good', true],
        ['token', false],
        ['missing', false],
        ['none', false],
      ],
    )
  })

  test('Ctrl-C with --rm cancels a job whose submission was under way', async () => {
    // A proxy that is slow to pass the answer on.
    const submitted = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    answer = async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      const isFirst = request.url === '/api/jobs/execute/cmd'
      const passed = await fetch(agent.url + request.url, {
        method: request.method!,
        headers: { ...(request.headers as Record<string, string>), host: new URL(agent.url).host },
        ...(parts.length > 0 ? { body: Buffer.concat(parts) } : {}),
      })
      if (isFirst) {
        submitted.resolve()
        await go.promise
      }
      response.writeHead(passed.status, { 'Content-Type': passed.headers.get('content-type') ?? '' })
      for await (const part of passed.body!) response.write(part)
      response.end()
    }
    write(`[hosts.slow]\nurl = "${url}"\nsecret = "${SECRET}"\nsignature = "contract"\n`)
    const live = startNewdt(['run', '--rm', '--hosts', 'slow', '--', 'sleep 300'], { env: files })
    await submitted.promise
    live.child.kill('SIGINT')
    go.resolve()
    const { code, stderr } = await live.ended
    assert.equal(code, 1)
    assert.match(stderr.toString(), /^slow +canceled +143 /m)
  })
})
