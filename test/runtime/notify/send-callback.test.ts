import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { WebhookVerificationError } from 'standardwebhooks'
import { createAddressRules } from '../../../lib/notify/address-rules.ts'
import { parseAddresses } from '../../../lib/security/address-list.ts'
import type { OutboxEntry } from '../../../lib/store/outbox-store.ts'
import { type CallbackOptions, createCallbackSender } from '../../../runtime/notify/send-callback.ts'
import { createCertificates } from '../../support/certificates.ts'
import { startReceiver, status } from '../../support/receiver.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const OTHER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
const NEVER = new AbortController().signal
const PAYLOAD = JSON.stringify({ type: 'job.ended', data: { state: 'success', cmd: 'echo 你好' } })

interface SenderOptions extends Partial<CallbackOptions> {
  allowed?: string[]
}

const senderFor = ({ allowed = ['127.0.0.1'], ...options }: SenderOptions) => {
  const addresses = createAddressRules(parseAddresses(allowed).list)
  const sender = createCallbackSender({
    origins: [],
    addresses,
    findHost: async host => (await lookup(host, { all: true })).map(({ address }) => address),
    secrets: () => [SECRET],
    userAgent: 'newdt-auto/1.2.3',
    ...options,
  })
  after(() => sender.close())
  return (target: string, signal = NEVER) => sender.deliver(entryFor(target), signal)
}

const entryFor = (target: string): OutboxEntry => ({
  number: 1,
  id: 'a1.ended',
  jobId: 'a1',
  sink: 'callback',
  target,
  origin: new URL(target).origin,
  kind: 'ended',
  payload: PAYLOAD,
  createdAt: 0,
  tries: 0,
  nextTryAt: 0,
  state: 'pending',
  lastTryAt: undefined,
  lastError: '',
})

/** A receiver that does no more than is said once it has read something. */
const listenRaw = async (scheme: 'http' | 'https', onRequest: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}))
    socket.once('data', () => onRequest(socket))
  }).listen(0, '127.0.0.1')
  after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await once(server, 'listening')
  return `${scheme}://127.0.0.1:${(server.address() as { port: number }).port}`
}

describe('a callback', () => {
  test('is a signed request, verified by the library', async () => {
    const receiver = await startReceiver()
    const deliver = senderFor({ origins: [receiver.origin] })
    assert.equal(await deliver(`${receiver.origin}/done?token=x`), 'delivered')
    const [one] = await receiver.count(1)
    assert.deepEqual([one!.id, one!.path, one!.body], ['a1.ended', '/done?token=x', PAYLOAD])
    assert.deepEqual(one!.verify(SECRET), JSON.parse(PAYLOAD))
    assert.throws(() => one!.verify(OTHER), WebhookVerificationError)
    assert.ok(Math.abs(one!.timestamp - Date.now() / 1000) < 30)
    const { host, 'content-type': type, 'user-agent': agent } = one!.headers
    assert.deepEqual(
      [host, type, agent],
      [new URL(receiver.origin).host, 'application/json', 'newdt-auto/1.2.3'],
    )
  })

  test('has a signature of each secret, while one takes the place of another', async () => {
    const receiver = await startReceiver()
    const deliver = senderFor({ origins: [receiver.origin], secrets: () => [SECRET, OTHER] })
    await deliver(`${receiver.origin}/`)
    for (const secret of [SECRET, OTHER]) receiver.received[0]!.verify(secret)
  })

  test('is delivered when the status begins with 2, and at no other', async () => {
    const receiver = await startReceiver()
    const deliver = senderFor({ origins: [receiver.origin] })
    const outcomes = []
    for (const code of [200, 202, 204, 299, 400, 404, 410, 429, 500, 503]) {
      receiver.answer(status(code, { 'retry-after': '7' }))
      outcomes.push(await deliver(`${receiver.origin}/`))
    }
    const failed = (code: number) => ({ error: `status ${code}`, notBeforeMs: 7000 })
    assert.deepEqual(outcomes.slice(0, 4), Array(4).fill('delivered'))
    assert.deepEqual(outcomes.slice(4), [
      failed(400),
      failed(404),
      'not-wanted',
      failed(429),
      failed(500),
      failed(503),
    ])
    receiver.answer(status(503, { 'retry-after': '999999' }))
    assert.deepEqual(await deliver(`${receiver.origin}/`), { error: 'status 503', notBeforeMs: 3_600_000 })
    receiver.answer(status(503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }))
    assert.deepEqual(await deliver(`${receiver.origin}/`), { error: 'status 503', notBeforeMs: undefined })
  })

  test('follows no redirect', async () => {
    const [receiver, other] = [await startReceiver(), await startReceiver()]
    const deliver = senderFor({ origins: [receiver.origin, other.origin] })
    for (const code of [301, 302, 303, 307, 308]) {
      receiver.answer(status(code, { location: `${other.origin}/` }))
      const outcome = await deliver(`${receiver.origin}/`)
      assert.equal((outcome as { error: string }).error, `status ${code}`)
    }
    assert.equal(other.connections(), 0)
  })

  test('is given up for now when the receiver hangs: before its head, or while it is connected to', async () => {
    const receiver = await startReceiver()
    receiver.answer(() => {})
    const deliver = senderFor({ origins: [receiver.origin], timeoutMs: 200 })
    assert.deepEqual(await deliver(`${receiver.origin}/`), { error: 'timed out' })
    const hanging = senderFor({
      origins: ['http://slow:1'],
      timeoutMs: 200,
      findHost: () => new Promise(() => {}),
    })
    assert.deepEqual(await hanging('http://slow:1/'), { error: 'timed out' })
  })

  test('ends at once when the agent does', async () => {
    const receiver = await startReceiver()
    receiver.answer(() => {})
    const stop = new AbortController()
    const delivered = senderFor({ origins: [receiver.origin] })(`${receiver.origin}/`, stop.signal)
    await receiver.count(1)
    stop.abort()
    assert.equal(((await delivered) as { error: string }).error, 'no connection')
  })

  test('is delivered although its answer never ends, or breaks off: the status says so', async () => {
    const receiver = await startReceiver()
    const deliver = senderFor({ origins: [receiver.origin], timeoutMs: 5000 })
    let sent = 0
    receiver.answer(response => {
      response.writeHead(200)
      const more = (): void => {
        sent += 16_384
        if (!response.destroyed) response.write(Buffer.alloc(16_384), more)
      }
      more()
    })
    assert.equal(await deliver(`${receiver.origin}/`), 'delivered')
    // What was on its way when the sender closed is in buffers of the system.
    assert.ok(sent < 32 << 20, `${sent} bytes`)
    receiver.answer(response => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    assert.equal(await deliver(`${receiver.origin}/`), 'delivered')
    receiver.answer(response => void response.writeHead(200).write('and then nothing'))
    const impatient = senderFor({ origins: [receiver.origin], timeoutMs: 300 })
    assert.equal(await impatient(`${receiver.origin}/`), 'delivered')
  })

  test('tells of a connection that fails only that it did, and the log by what', async () => {
    const receiver = await startReceiver()
    const deliver = senderFor({ origins: [receiver.origin] })
    receiver.answer(response => void response.destroy())
    assert.equal(((await deliver(`${receiver.origin}/`)) as { error: string }).error, 'no connection')
    await receiver.close()
    assert.deepEqual(await deliver(`${receiver.origin}/`), { error: 'no connection', detail: 'ECONNREFUSED' })
    const noName = senderFor({
      origins: ['http://none:1'],
      findHost: () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })),
    })
    assert.deepEqual(await noName('http://none:1/'), { error: 'no connection', detail: 'ENOTFOUND' })
  })

  test('ends at once when the agent does, also while it is connected to', async () => {
    const greeted = Promise.withResolvers<void>()
    const origin = await listenRaw('https', () => greeted.resolve())
    const stop = new AbortController()
    const delivered = senderFor({ origins: [origin], timeoutMs: 600_000 })(`${origin}/`, stop.signal)
    await greeted.promise
    stop.abort()
    assert.equal(((await delivered) as { error: string }).error, 'no connection')
  })

  test('tells of a receiver that speaks no HTTP, and of one that answers what nobody has asked for', async () => {
    const errorOf = async (answer: string): Promise<string> => {
      const origin = await listenRaw('http', socket => void socket.end(answer))
      return ((await senderFor({ origins: [origin] })(`${origin}/`)) as { error: string }).error
    }
    for (const answer of [
      '220 mail.example.com ESMTP\r\n',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
      `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(32_768)}\r\n\r\n`,
    ])
      assert.equal(await errorOf(answer), 'no HTTP answer', answer.slice(0, 30))
  })

  test('takes some interim answers before the status, and gives up one that sends them without end', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n'
    const some = await listenRaw('http', socket => {
      socket.end(`${hint.repeat(16)}HTTP/1.1 204 No Content\r\n\r\n`)
    })
    assert.equal(await senderFor({ origins: [some] })(`${some}/`), 'delivered')
    const endless = await listenRaw('http', socket => {
      const more = (): void => void (socket.destroyed || socket.write(hint, () => setImmediate(more)))
      more()
    })
    const outcome = await senderFor({ origins: [endless], timeoutMs: 600_000 })(`${endless}/`)
    assert.equal((outcome as { error: string }).error, 'no HTTP answer')
  })

  test('goes over TLS to whom the certificate names alone', async () => {
    const files = createCertificates(scratchDirectory()).make('receiver', '/CN=receiver')
    const tls = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
    const receiver = await startReceiver({ tls })
    const outcome = await senderFor({ origins: [receiver.origin] })(`${receiver.origin}/`)
    assert.deepEqual(outcome, { error: 'no connection', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    assert.equal(receiver.received.length, 0)
  })
})

describe('where a callback may go', () => {
  test('to allowed origins alone, however a URL is written', async () => {
    const receiver = await startReceiver()
    const { port } = receiver
    const deliver = senderFor({ origins: [receiver.origin] })
    for (const target of [
      `http://localhost:${port}/`,
      `https://127.0.0.1:${port}/`,
      `http://127.0.0.1:${port + 1}/`,
      'http://127.0.0.1/',
    ])
      assert.deepEqual(await deliver(target), { error: 'origin not allowed' }, target)
    assert.equal(receiver.connections(), 0)
    for (const host of ['0x7f.1', '2130706433', '017700000001', '127.1', '127.0.0.1.'])
      assert.equal(await deliver(`http://${host}:${port}/`), 'delivered', host)
  })

  test('not to an address of this host, its link or a metadata service, unless that is listed too', async () => {
    const receiver = await startReceiver()
    const { port } = receiver
    for (const host of ['127.0.0.1', '[::ffff:7f00:1]', '0.0.0.0', '[::]', '[::1]', '169.254.169.254']) {
      const origin = `http://${host}:${port}`
      const deliver = senderFor({ origins: [origin], allowed: [] })
      assert.deepEqual(await deliver(`${origin}/`), { error: 'address not allowed' }, host)
    }
    assert.equal(receiver.connections(), 0)
  })

  test('a name leads to none of them either: each of its addresses is looked at', async () => {
    const receiver = await startReceiver()
    const origin = `http://ci.example.com:${receiver.port}`
    const named = (allowed: string[], ...addresses: string[]) =>
      senderFor({
        origins: [origin],
        allowed,
        findHost: async () => addresses,
      })(`${origin}/`)
    const refused = { error: 'address not allowed' }
    assert.deepEqual(await named([], '127.0.0.1'), refused)
    assert.deepEqual(await named([], '::1', '127.0.0.1', '::ffff:127.0.0.1'), refused)
    assert.deepEqual(await named(['127.0.0.1'], '127.0.0.2', '169.254.169.254'), refused)
    assert.equal(receiver.connections(), 0)
    // Of several only those that may be called are.
    assert.equal(await named(['127.0.0.1'], '127.0.0.2', '127.0.0.1'), 'delivered')
    assert.equal(receiver.connections(), 1)
  })

  test('the system finds localhost, and that is refused', async () => {
    const receiver = await startReceiver()
    const origin = `http://localhost:${receiver.port}`
    const refused = await senderFor({ origins: [origin], allowed: [] })(`${origin}/`)
    assert.deepEqual(refused, { error: 'address not allowed' })
    // Not every system finds this one.
    const dotted = `http://localhost.:${receiver.port}`
    assert.notEqual(await senderFor({ origins: [dotted], allowed: [] })(`${dotted}/`), 'delivered')
    assert.equal(receiver.connections(), 0)
    assert.equal(await senderFor({ origins: [origin] })(`${origin}/`), 'delivered')
  })

  test('a name that leads elsewhere each time it is asked for is asked once for a connection', async () => {
    const receiver = await startReceiver()
    const origin = `http://rebinding.example.com:${receiver.port}`
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.1']
    let asked = 0
    const deliver = senderFor({
      origins: [origin],
      findHost: async () => [answers[asked++]!],
    })
    assert.equal(await deliver(`${origin}/`), 'delivered')
    assert.equal(asked, 1)
    assert.deepEqual(await deliver(`${origin}/`), { error: 'address not allowed' })
    assert.equal(await deliver(`${origin}/`), 'delivered')
    assert.deepEqual([asked, receiver.connections()], [3, 2])
  })
})
