import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type Server,
  type Socket,
} from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { parseAddresses } from '../../lib/security/address-list.ts'
import { limitConnections } from '../../runtime/connections.ts'
import { createServer, type ServerOptions } from '../../runtime/server.ts'
import { createCertificates } from '../support/certificates.ts'
import { isInstalled } from '../support/is-installed.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { waitFor } from '../support/wait-for.ts'

const NO_LOG = { info() {}, warn() {}, error() {} }
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

const serve = async <S extends Server>(t: TestContext, server: S) => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    server,
    port,
    keep: <T extends Socket>(socket: T): T => {
      sockets.add(socket)
      return socket.on('error', () => {}) as T
    },
    count: (): Promise<number> =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
  }
}

const serveHttp = (t: TestContext, options: Partial<ServerOptions> = {}) =>
  serve(
    t,
    createServer({
      fetch: async () => new Response('answer'),
      log: NO_LOG,
      headersTimeoutMs: 200,
      requestTimeoutMs: 400,
      ...options,
    }),
  )

/** A client that never ends its side by itself; `heard` is what has come. */
const open = (socket: Socket) => {
  const client = { socket, heard: '', hasEnded: false }
  socket.setEncoding('utf8')
  socket.on('data', data => {
    client.heard += data
  })
  socket.on('end', () => {
    client.hasEnded = true
  })
  return client
}

for (const [name, text, status] of [
  ['nothing', '', 408],
  ['half of its headers', 'GET / HTTP/1.1\r\n', 408],
  ['half of its body', 'POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf', 408],
  ['garbage', 'garbage\r\n\r\n', 400],
] as const) {
  test(`a client that sends ${name} gets its ${status}, and keeps no connection by not closing it`, async t => {
    // Who answers before there is a whole body would be heard first.
    const { port, keep, count } = await serveHttp(t, {
      fetch: async request => new Response(await request.text()),
    })
    const client = open(keep(connect({ port, host: '127.0.0.1', allowHalfOpen: true })))
    client.socket.write(text)
    await waitFor('it is answered', () => client.heard.startsWith(`HTTP/1.1 ${status} `) && client.hasEnded)
    await waitFor('the connection is closed', async () => (await count()) === 0)
  })
}

describe('with TLS', { skip: !isInstalled('openssl') && 'openssl is not installed' }, () => {
  const { cert, key } = createCertificates(scratchDirectory()).make('server', '/CN=localhost')
  const tls = { cert: readFileSync(cert), key: readFileSync(key) }

  for (const [name, text] of [
    ['nothing', ''],
    ['plain HTTP', GET],
  ] as const) {
    test(`a client that sends ${name} keeps no connection`, async t => {
      const { port, keep, count } = await serveHttp(t, { tls })
      const { socket } = open(keep(connect({ port, host: '127.0.0.1', allowHalfOpen: true })))
      await waitFor('it is connected', async () => (await count()) === 1)
      socket.write(text)
      await waitFor('the connection is closed', async () => (await count()) === 0)
    })
  }

  test('a client that is silent after its handshake keeps no connection', async t => {
    const { port, keep, count } = await serveHttp(t, { tls })
    const socket = keep(connect({ port, host: '127.0.0.1', allowHalfOpen: true }))
    const client = open(connectTls({ socket, ca: tls.cert, checkServerIdentity: () => undefined }))
    client.socket.on('error', () => {})
    await waitFor('it is answered', () => client.heard.startsWith('HTTP/1.1 408 '))
    await waitFor('the connection is closed', async () => (await count()) === 0)
  })

  test('a client that has ended its side gets the answer that is made later', async t => {
    const answer = Promise.withResolvers<Response>()
    const { server, port, keep } = await serveHttp(t, { tls, fetch: () => answer.promise })
    const seen = once(server, 'secureConnection').then(([socket]) => once(socket, 'end'))
    const options = { port, ca: tls.cert, checkServerIdentity: () => undefined, allowHalfOpen: true }
    const client = open(keep(connectTls(options)))
    client.socket.end(GET)
    await seen
    answer.resolve(new Response('late'))
    await waitFor('the answer comes', () => client.heard.includes('late'))
  })
})

test('a client that has ended its side gets the answer that is made later, and then the end', async t => {
  const answer = Promise.withResolvers<Response>()
  const { server, port, keep, count } = await serveHttp(t, { fetch: () => answer.promise })
  const seen = once(server, 'connection').then(([socket]) => once(socket, 'end'))
  const client = open(keep(connect({ port, host: '127.0.0.1', allowHalfOpen: true })))
  client.socket.end(GET)
  await seen
  answer.resolve(new Response('late'))
  await waitFor('the answer comes', () => client.heard.includes('late') && client.hasEnded)
  await waitFor('the connection is closed', async () => (await count()) === 0)
})

const LARGE = 'x'.repeat(50_000_000)

for (const [name, body] of [
  ['in one piece', () => LARGE],
  ['as a stream', () => new Blob([LARGE]).stream()],
] as const) {
  test(`a client that takes nothing of an answer ${name} is cut off, one that waits for its answer is not`, async t => {
    const late = Promise.withResolvers<Response>()
    const { port, keep, count } = await serveHttp(t, {
      fetch: async request => (request.url.endsWith('/late') ? late.promise : new Response(body())),
      stalledTimeoutMs: 300,
    })
    const patient = open(keep(connect(port, '127.0.0.1')))
    patient.socket.write(GET.replace(' / ', ' /late '))
    const deaf = keep(connect(port, '127.0.0.1'))
    await once(deaf, 'connect')
    deaf.pause().write(GET)
    await waitFor('both are connected', async () => (await count()) === 2)
    await waitFor('the one is cut off', async () => (await count()) === 1)
    late.resolve(new Response('late'))
    await waitFor('the other is answered', () => patient.heard.includes('late'))
  })
}

describe('the connections of an address', () => {
  const start = (t: TestContext, more: Partial<Parameters<typeof limitConnections>[1]> = {}) => {
    const warned: object[] = []
    const server = createNetServer()
    const log = { ...NO_LOG, warn: (fields: object) => void warned.push(fields) }
    limitConnections(server, { most: 10, log, ...more })
    return serve(t, server).then(served => ({ ...served, warned }))
  }

  /** Connects one after the other; how many of them stay. */
  const connectMany = async (
    { port, keep, count }: Awaited<ReturnType<typeof start>>,
    localAddress: string,
    attempts: number,
  ) => {
    const sockets: Socket[] = []
    for (let n = 0; n < attempts; n++) {
      const before = await count()
      const socket = keep(connect({ port, host: '127.0.0.1', localAddress }))
      socket.resume()
      let isGone = false
      socket.once('close', () => {
        isGone = true
      })
      await waitFor('it is taken or cut off', async () => isGone || (await count()) > before)
      if (!isGone) sockets.push(socket)
    }
    return sockets
  }

  test('leave some for others, however many it wants', async t => {
    const served = await start(t)
    const first = await connectMany(served, '127.0.0.1', 12)
    assert.equal(first.length, 8)
    assert.deepEqual(served.warned, [{ client: '127.0.0.1' }])
    assert.equal((await connectMany(served, '127.0.0.2', 2)).length, 2)
    for (const socket of first) socket.destroy()
    await waitFor('they are gone', async () => (await served.count()) === 2)
    assert.equal((await connectMany(served, '127.0.0.1', 3)).length, 3)
  })

  test('are not limited where it is a trusted proxy, which connects for many', async t => {
    const served = await start(t, { proxies: parseAddresses(['127.0.0.1']).list })
    assert.equal((await connectMany(served, '127.0.0.1', 10)).length, 10)
    assert.deepEqual(served.warned, [])
  })
})
