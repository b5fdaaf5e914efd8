import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
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

const newCertificate = () => {
  const { cert, key } = createCertificates(scratchDirectory()).make('server', '/CN=localhost')
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

describe('with TLS', { skip: !isInstalled('openssl') && 'openssl is not installed' }, () => {
  const tls = newCertificate()

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

test('a request that comes on an outdated connection takes no answer from the request before', async t => {
  let isOutdated = false
  const answer = Promise.withResolvers<Response>()
  const { server, port, keep } = await serveHttp(t, {
    fetch: () => answer.promise,
    isOutdated: () => isOutdated,
  })
  const client = open(keep(connect(port, '127.0.0.1')))
  client.socket.write(GET)
  await once(server, 'request')
  isOutdated = true
  client.socket.write(GET)
  await once(server, 'request')
  answer.resolve(new Response('the answer'))
  await waitFor('the first is answered', () => client.heard.includes('the answer') && client.hasEnded)
  assert.equal(client.heard.split('HTTP/1.1').length, 2)
})

test('a request on an outdated connection is not answered', async t => {
  const { port, keep } = await serveHttp(t, { fetch: assert.fail, isOutdated: () => true })
  const client = open(keep(connect(port, '127.0.0.1')))
  client.socket.write(GET)
  await waitFor('the connection is closed', () => client.socket.destroyed)
  assert.equal(client.heard, '')
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
  const start = async (t: TestContext, more: Partial<Parameters<typeof limitConnections>[1]> = {}) => {
    const warned: object[] = []
    const server = createNetServer()
    const taken: Socket[] = []
    server.on('connection', socket => void (socket.destroyed || taken.push(socket)))
    const log = { ...NO_LOG, warn: (fields: object) => void warned.push(fields) }
    const { keep: keepOpen } = limitConnections(server, { most: 10, log, ...more })
    return { ...(await serve(t, server)), warned, taken, keepOpen }
  }
  type Served = Awaited<ReturnType<typeof start>>

  /** Connects one after the other. */
  const connectMany = async ({ port, keep, taken }: Served, localAddress: string, attempts: number) => {
    const sockets: Socket[] = []
    for (let n = 0; n < attempts; n++) {
      const before = taken.length
      const socket = keep(connect({ port, host: '127.0.0.1', localAddress }))
      socket.resume()
      let isGone = false
      socket.once('close', () => {
        isGone = true
      })
      await waitFor('it is taken or cut off', () => isGone || taken.length > before)
      sockets.push(socket)
    }
    return sockets
  }

  const answerOf = (caller: string, method = 'GET') =>
    Object.assign(new EventEmitter(), {
      req: { method, notes: { caller }, client: { address: '127.0.0.1' } },
    })

  const isOpen = ({ destroyed }: Socket): boolean => !destroyed
  const settle = ({ count }: Served, most: number) =>
    waitFor(`${most} stay`, async () => (await count()) === most)

  test('leave some for others, however many it wants: its oldest make room for its new ones', async t => {
    const served = await start(t)
    const first = await connectMany(served, '127.0.0.1', 12)
    await settle(served, 8)
    await waitFor('the oldest are gone', () => first.map(isOpen).indexOf(true) === 4)
    assert.deepEqual(first.slice(4).filter(isOpen).length, 8)
    assert.deepEqual(served.warned, [{ client: '127.0.0.1' }])
    const others = await connectMany(served, '127.0.0.2', 1)
    assert.deepEqual([others.every(isOpen), await served.count()], [true, 9])
  })

  test('do not keep a new client out, from however many addresses they are', async t => {
    const served = await start(t)
    for (let n = 1; n <= 10; n++) await connectMany(served, `127.0.0.${n}`, 12)
    await settle(served, 10)
    const [client] = await connectMany(served, '127.0.1.1', 1)
    await settle(served, 10)
    assert.ok(isOpen(client!))
    const others = await connectMany(served, '127.0.0.1', 12)
    await settle(served, 10)
    assert.ok(isOpen(client!), 'who has one loses it to nobody who has as many')
    assert.equal(others.filter(isOpen).length, 1)
  })

  test('stay while an answer is owed on them, and are given up after it', async t => {
    const served = await start(t)
    const first = await connectMany(served, '127.0.0.1', 8)
    const answers = served.taken.map((socket, n) => {
      const answer = answerOf(`${n}`)
      served.keepOpen(socket, answer)
      return answer
    })
    await connectMany(served, '127.0.0.1', 1)
    await settle(served, 8)
    assert.ok(first.every(isOpen))
    answers[3]!.emit('close')
    const [next] = await connectMany(served, '127.0.0.1', 1)
    await waitFor('the one whose answer is over is gone', () => !isOpen(first[3]!))
    await settle(served, 8)
    assert.deepEqual([first.filter(isOpen).length, isOpen(next!)], [7, true])
  })

  test('are not limited where it is a trusted proxy, which connects for many, until none is left', async t => {
    const served = await start(t, { proxies: parseAddresses(['127.0.0.1']).list })
    const first = await connectMany(served, '127.0.0.1', 10)
    assert.deepEqual([first.filter(isOpen).length, served.warned], [10, []])
    const [client] = await connectMany(served, '127.0.0.2', 1)
    const [next] = await connectMany(served, '127.0.0.1', 1)
    await settle(served, 10)
    assert.deepEqual([first.filter(isOpen).length, isOpen(client!), isOpen(next!)], [8, true, true])
  })

  test('of strangers make room for a proxy, and those of callers leave some for others', async t => {
    const served = await start(t, { most: 20, proxies: parseAddresses(['127.0.0.1']).list })
    await connectMany(served, '127.0.0.1', 16)
    for (const [n, socket] of served.taken.entries()) served.keepOpen(socket, answerOf(`${n}`))
    for (let n = 2; n <= 5; n++) await connectMany(served, `127.0.0.${n}`, 1)
    const [client] = await connectMany(served, '127.0.0.1', 1)
    await settle(served, 20)
    assert.ok(isOpen(client!))
  })

  test('are told apart where one has the ends of another whose close has not been told yet', () => {
    const server = new EventEmitter() as Server
    const { tryToKeep } = limitConnections(server, { most: 10, log: NO_LOG })
    const connectFrom = (remotePort: number) => {
      const ends = { remoteAddress: '127.0.0.1', remotePort, localAddress: '127.0.0.1' }
      let isCutOff = false
      const destroy = () => {
        isCutOff = true
      }
      const socket = Object.assign(new EventEmitter(), { ...ends, destroy, isCutOff: () => isCutOff })
      server.emit('connection', socket as unknown as Socket)
      return socket as unknown as Socket & { isCutOff(): boolean }
    }
    const former = connectFrom(1)
    assert.ok(tryToKeep(former, new EventEmitter(), { caller: 'a', isRepeatable: true }))
    const next = connectFrom(1)
    former.emit('close')
    // Eight are the share of one network.
    const others = Array.from({ length: 7 }, (_, n) => connectFrom(n + 2))
    assert.ok([next, ...others].every(one => !one.isCutOff()))
    connectFrom(9)
    assert.deepEqual([next.isCutOff(), others.some(one => one.isCutOff())], [true, false])
  })

  test('are closed, and nothing is begun on them, where their caller waits for too many answers', async t => {
    const served = await start(t)
    const sockets = await connectMany(served, '127.0.0.1', 8)
    const keepAll = (): void => {
      for (const socket of served.taken) served.keepOpen(socket, answerOf('alice', 'POST'))
    }
    assert.throws(keepAll, { code: 'incomplete-body' })
    await settle(served, 7)
    await waitFor('it is the last', () => sockets.map(isOpen).lastIndexOf(false) === 7)
  })

  test('that were cut off are told of once for each address, and again after an hour', async t => {
    let time = 0
    const served = await start(t, { allowed: parseAddresses(['127.1.0.0/16']).list, now: () => time })
    const strangers = ['127.0.0.1', '127.0.0.2', '127.0.0.1']
    for (const stranger of strangers) await connectMany(served, stranger, 1)
    assert.deepEqual(served.warned, [{ client: '127.0.0.1' }, { client: '127.0.0.2' }])
    time += 3600_000
    await connectMany(served, '127.0.0.1', 2)
    assert.equal(served.warned.length, 3)
  })
})

describe('when there are too many connections', () => {
  test('one caller does not keep another out who comes by the same proxy, and keeps its commands', async t => {
    const asked = new Map<string, number>()
    const answer = Promise.withResolvers<void>()
    const { port, keep, count } = await serveHttp(t, {
      trustedProxies: parseAddresses(['127.0.0.1']).list,
      headersTimeoutMs: 20_000,
      requestTimeoutMs: 20_000,
      async fetch({ headers, method }, { note }) {
        const caller = headers.get('caller')!
        note({ caller })
        asked.set(caller, (asked.get(caller) ?? 0) + 1)
        if (caller === 'monitor') await answer.promise
        return new Response(`${method} answered`)
      },
    })
    const ask = (caller: string, n: number, method = 'GET') => {
      const client = open(keep(connect(port, '127.0.0.1')))
      client.socket.write(
        `${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\ncaller: ${caller}\r\nX-Forwarded-For: 10.0.${n >> 8}.${n & 255}\r\n\r\n`,
      )
      return client
    }
    const isOpen = ({ socket }: { socket: Socket }): boolean => !socket.destroyed
    const command = ask('monitor', 0, 'POST')
    await waitFor('the command is there', () => asked.get('monitor') === 1)
    const polls = Array.from({ length: 1019 }, (_, n) => ask('monitor', n))
    await waitFor('the oldest have given way', async () => polls.filter(isOpen).length === 759)
    assert.ok((await count()) <= 800)
    const admin = ask('admin', 0, 'POST')
    await waitFor('the admin is answered', () => admin.heard.includes('POST answered'))
    answer.resolve()
    await waitFor('so is the command', () => command.heard.includes('POST answered'))
    await waitFor('so are the newest', () => polls.at(-1)!.heard.includes('GET answered'))
  })

  for (const kind of ['plain HTTP', 'TLS'] as const) {
    const skip = kind === 'TLS' && !isInstalled('openssl') && 'openssl is not installed'
    test(`a caller who is known gets the answer, others lose theirs (${kind})`, { skip }, async t => {
      const tls = kind === 'TLS' ? newCertificate() : undefined
      const answer = Promise.withResolvers<void>()
      let asked = 0
      const { port, keep } = await serveHttp(t, {
        tls,
        headersTimeoutMs: 20_000,
        requestTimeoutMs: 20_000,
        async fetch({ url }, { note }) {
          if (url.endsWith('/known')) note({ caller: 'alice' })
          asked++
          await answer.promise
          return new Response('the answer')
        },
      })
      const connectAs = (): Socket =>
        tls
          ? connectTls({ port, host: '127.0.0.1', ca: tls.cert, checkServerIdentity: () => undefined })
          : connect(port, '127.0.0.1')
      const clients = ['/known', '/unknown'].map(path => {
        const client = open(keep(connectAs()))
        client.socket.write(GET.replace(' / ', ` ${path} `))
        return client
      })
      await waitFor('both have asked', () => asked === 2)
      for (let n = 0; n < 1000; n++) keep(connect(port, '127.0.0.1'))
      await waitFor('the one is cut off', () => clients[1]!.socket.destroyed)
      answer.resolve()
      await waitFor('the other is answered', () => clients[0]!.heard.includes('the answer'))
      assert.equal(clients[1]!.heard, '')
    })
  }
})
