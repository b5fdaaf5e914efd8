import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Response as PonyfillResponse } from '@whatwg-node/fetch'
import { createApp } from '../../handlers/app.ts'
import { createJobChanges } from '../../lib/jobs/changes.ts'
import { createAuthenticator } from '../../lib/security/authenticator.ts'
import { createGuessLimiter } from '../../lib/security/guess-limiter.ts'
import { withDefaultKey } from '../../lib/security/keys.ts'
import { createSigner } from '../../lib/security/md5-signature.ts'
import { createServer } from '../../runtime/server.ts'
import { createTestJobs } from '../support/jobs.ts'
import { memoryNonces } from '../support/nonces.ts'
import { waitFor } from '../support/wait-for.ts'

/** Of the second 1, which is when all requests of this file are made. */
const SIGN = createSigner('secret').sign('1')

/** The real server and real jobs, with time limits that a test can wait for. */
describe('the server', () => {
  const agent = createTestJobs()
  let server: ReturnType<typeof createServer>
  let port: number
  let open = 0

  before(async () => {
    const app = createApp({
      jobs: agent.service,
      changes: createJobChanges(agent.events),
      authenticator: createGuessLimiter(
        createAuthenticator(withDefaultKey([], ['secret']), {
          ttlMs: 0,
          clockSkewMs: 0,
          now: () => 1000,
          nonces: memoryNonces(() => 1000),
          isStrict: false,
        }),
      ),
      audit: {
        recordOrFail: async () => {},
        recordRepeatable: async () => {},
        hashesOf: () => ({}),
        textOf: () => ({}),
        recordFailedAuthentication: async () => {},
      },
      metrics: {
        request() {},
        authenticationFailed() {},
        text: async () => '',
        contentType: 'text/plain',
      },
      status: () => assert.fail('nobody asks for it'),
      facts: () => assert.fail('nobody asks for it'),
      history: () => assert.fail('nobody asks for it'),
      drain: () => assert.fail('nobody asks for it'),
      bodyLimit: 100_000,
      notifications: () => [],
      reportError: error => {
        throw error
      },
    })
    const log = { info: record, warn: record, error: record }
    server = createServer({ fetch: app, log, headersTimeoutMs: 200, requestTimeoutMs: 400 })
    server.on('request', (_request, response) => {
      open++
      response.once('close', () => open--)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await agent.close()
  })

  const logged: Record<string, unknown>[] = []
  const record = (fields: object) => void logged.push({ ...fields })

  /** Sends raw bytes; resolves with all that comes back until the server closes. */
  const send = (text: string, then: (socket: Socket) => void = () => {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let answer = ''
      socket.setEncoding('utf8').on('data', data => {
        answer += data
      })
      socket.on('error', reject).on('close', () => resolve(answer))
      socket.write(text, () => then(socket))
    })

  const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  const post = (body: string, headers = '') =>
    `POST /api/jobs/execute/cmd HTTP/1.1\r\nHost: x\r\nsign: ${SIGN}\r\nsignAt: 1\r\nConnection: close\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
  const get = (target: string, headers = 'Host: x\r\n') =>
    `GET ${target} HTTP/1.1\r\n${headers}sign: ${SIGN}\r\nsignAt: 1\r\nConnection: close\r\n\r\n`

  test('headers and bodies that do not come are answered with 408 in the envelope', async () => {
    const expected = { code: 408, success: false, msg: '接收请求超时', error: 'request-timeout', data: null }
    const slow = ['GET /healthz HTTP/1.1\r\nHost: x\r\n', post('{"cmd":"true"}').slice(0, -3)]
    for (const answer of await Promise.all(slow.map(text => send(text)))) {
      assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
      assert.deepEqual(bodyOf(answer), expected)
    }
    assert.equal((await agent.jobs.list({ limit: 1 })).length, 0)
  })

  test('every answer, of whatever kind, tells a browser once to keep, guess, run and frame nothing', async () => {
    const { id } = bodyOf(await send(post('{"cmd":"echo hi"}'))).data
    const targets = [
      `/api/jobs/${id}`,
      `/api/jobs/${id}/stdout`,
      `/api/jobs/${id}/events`,
      '/healthz',
      '/nope',
    ]
    const answers = await Promise.all(targets.map(target => send(get(target))))
    answers.push(await send('garbage\r\n\r\n'), await send(get(`/?${'a'.repeat(8000)}`)))
    for (const answer of answers) {
      const head = answer.slice(0, answer.indexOf('\r\n\r\n')).toLowerCase().split('\r\n')
      for (const header of [
        'x-content-type-options: nosniff',
        'cache-control: no-store',
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
      ]) {
        const name = header.split(':')[0]!
        assert.deepEqual(
          head.filter(line => line.startsWith(`${name}:`)),
          [header],
        )
      }
      assert.ok(!head.some(line => line.startsWith('access-control-')))
    }
  })

  test('a sync call that takes longer than any limit on requests is not cut', async () => {
    const answer = await send(post('{"cmd":"sleep 2; echo done"}'))
    assert.match(answer, /^HTTP\/1\.1 200/)
    assert.equal(bodyOf(answer).data.stdout, 'done\n')
  })

  for (const [name, text, status] of [
    ['garbage', 'garbage\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['headers beyond all measure', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ['a long target', `GET /?${'a'.repeat(8000)} HTTP/1.1\r\n\r\n`, 414],
    ['a parameter that is repeated without end', `GET /?${'a=1&'.repeat(64)} HTTP/1.1\r\n\r\n`, 400],
    ['a target that is no path', 'OPTIONS * HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ] as const) {
    test(`${name} is answered with ${status} in the envelope`, async () => {
      const answer = await send(text)
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.equal(bodyOf(answer).code, status)
      assert.equal(bodyOf(answer).success, false)
    })
  }

  test('a Host header cannot change which endpoint answers, and may be missing', async () => {
    for (const headers of ['Host: x/healthz?\r\n', 'Host: a b\r\n', 'Host: [\r\n', 'Host: \r\n', '']) {
      const answer = await send(get('/api/jobs/countOfRunningJobs', headers))
      assert.deepEqual(bodyOf(answer), { code: 0, success: true, msg: '', data: 0 })
    }
    assert.match(
      await send('GET /api/jobs HTTP/1.1\r\nHost: x/healthz?\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 401/,
    )
  })

  test('a target in absolute form is understood (RFC 9112, 3.2.2)', async () => {
    assert.equal(bodyOf(await send(get('http://other.example/healthz'))).data, 'up')
  })

  test('a body over the limit is answered with 413, whether its length is told or not', async () => {
    const large = await send(post(JSON.stringify({ cmd: 'x'.repeat(3_000_000) })))
    assert.equal(bodyOf(large).code, 413)
    const chunk = `${(50_000).toString(16)}\r\n${' '.repeat(50_000)}\r\n`
    const chunked = await send(
      [
        post('').replace('Content-Length: 0', 'Transfer-Encoding: chunked'),
        chunk.repeat(20),
        '0\r\n\r\n',
      ].join(''),
    )
    assert.equal(bodyOf(chunked).code, 413)
  })

  for (const [name, leave] of [
    ['goes away', (socket: Socket) => socket.destroy()],
    ['resets the connection', (socket: Socket) => socket.resetAndDestroy()],
    ['half-closes', (socket: Socket) => socket.end()],
  ] as const) {
    test(`the job of a client that ${name} during a sync call goes on and can be looked up`, async () => {
      const mark = name.replace(' ', '-')
      void send(post(`{"cmd":"sleep 0.3; echo ${mark}"}`), socket => {
        void waitFor('the job runs', () => agent.jobs.countRunning() === 1).then(() => leave(socket))
      }).catch(() => {})
      await waitFor('the job runs', () => agent.jobs.countRunning() === 1)
      await waitFor('the job has ended', () => agent.jobs.countRunning() === 0)
      const job = (await agent.jobs.list({ limit: 1 }))[0]!
      assert.deepEqual([job.state, (await agent.jobs.get(job.id))?.stdout], ['success', `${mark}\n`])
    })
  }

  test('a client that goes away in the middle of its body starts nothing and is no error of ours', async () => {
    const before = (await agent.jobs.list({ limit: 1 }))[0]?.id
    await waitFor('every request before was logged', () => open === 0)
    logged.length = 0
    await send(post('{"cmd":"true"}').slice(0, -3), socket => socket.destroy())
    await waitFor('the request was logged', () => logged.at(-1)?.aborted)
    assert.equal((await agent.jobs.list({ limit: 1 }))[0]?.id, before)
  })

  test('a follower of a silent job is answered before its first byte, with a reason phrase', async () => {
    const { id } = await agent.jobs.submit({ cmd: 'sleep 1000', params: '', async: true })
    let heard = ''
    await send(get(`/api/jobs/${id}/stdout?follow=true`), socket => {
      socket.on('data', data => {
        heard += data
        if (heard.includes('\r\n\r\n')) socket.destroy()
      })
    })
    assert.match(heard, /^HTTP\/1\.1 200 OK\r\n/)
    assert.equal((await agent.jobs.get(id))?.state, 'running')
    await agent.jobs.cancel(id)
  })

  test('the log has one line a request, with the job but without query and signature', async () => {
    await waitFor('every request before was logged', () => open === 0)
    logged.length = 0
    const { id } = bodyOf(await send(post('{"cmd":"true"}'))).data
    await send(`GET /api/jobs/${id}?sign=${SIGN}&signAt=1 HTTP/1.1\r\nConnection: close\r\n\r\n`)
    await waitFor('both are logged', () => logged.length === 2)
    const lines = logged.map(({ ms, requestId, ...fields }) => fields)
    const common = { status: 200, client: '127.0.0.1', jobId: id, caller: 'default' }
    assert.deepEqual(lines, [
      { ...common, method: 'POST', path: '/api/jobs/execute/cmd' },
      { ...common, method: 'GET', path: `/api/jobs/${id}` },
    ])
    assert.ok(!JSON.stringify(logged).includes(SIGN))
  })
})

test('a short answer ends with its whole body, and every answer is as long as its body', async t => {
  const texts = ['ok', 'é任务', 'é'.repeat(300_000), '']
  const fetchNext = async () => {
    const text = texts[answers.length - 1]!
    const headers = { 'Content-Length': String(Buffer.byteLength(text)) }
    return new PonyfillResponse(text, { headers }) as Response
  }
  const answers: { ends: unknown[]; drains(): number }[] = []
  const log = { info() {}, warn() {}, error() {} }
  const server = createServer({ fetch: fetchNext, log })
  server.prependListener('request', (_request, response) => {
    const end = response.end.bind(response) as (...args: unknown[]) => typeof response
    const answer = { ends: [] as unknown[], drains: () => response.listenerCount('drain') }
    answers.push(answer)
    response.end = ((...args: unknown[]) => {
      answer.ends.push(args[0])
      return end(...args)
    }) as typeof response.end
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const text of texts) {
    const answer = await fetch(`http://127.0.0.1:${port}/`)
    assert.deepEqual(
      [answer.headers.get('content-length'), await answer.text()],
      [`${Buffer.byteLength(text)}`, text],
    )
  }
  assert.deepEqual(
    answers.map(({ ends }) => ends[0]),
    ['ok', 'é任务', null, null],
  )
  assert.deepEqual(
    answers.map(({ drains }) => drains()),
    [0, 0, 0, 0],
  )
})
