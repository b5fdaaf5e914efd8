import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { parseAddresses } from '../../lib/security/address-list.ts'
import { createMetricsServer, type MetricsServerOptions } from '../../runtime/metrics-server.ts'
import { waitFor } from '../support/wait-for.ts'

const start = async (t: TestContext, options: Partial<MetricsServerOptions> = {}) => {
  const log = { info() {}, warn() {}, error() {} }
  const metrics = { text: async () => 'newdt_jobs 1\n', contentType: 'text/plain; version=0.0.4' }
  const server = createMetricsServer({ metrics, log, ...options }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { server, port, url: `http://127.0.0.1:${port}/metrics` }
}

test('its answers tell a browser to keep, guess, run and frame nothing', async t => {
  const { url } = await start(t)
  for (const [path, status] of [
    ['/metrics', 200],
    ['/', 404],
  ] as const) {
    const response = await fetch(new URL(path, url))
    const headers = ['x-content-type-options', 'cache-control', 'content-security-policy']
    assert.deepEqual(
      [response.status, ...headers.map(name => response.headers.get(name))],
      [status, 'nosniff', 'no-store', "default-src 'none'; frame-ancestors 'none'"],
    )
  }
})

test('it cuts off whom it is not for', async t => {
  const { url } = await start(t, { allowed: parseAddresses(['192.0.2.0/24']).list })
  await assert.rejects(fetch(url))
})

test('a scrape that is under way is not cut off for others', async t => {
  const metrics = Promise.withResolvers<string>()
  let asked = 0
  const text = (): Promise<string> => {
    asked++
    return metrics.promise
  }
  const { port, url } = await start(t, { metrics: { text, contentType: 'text/plain' } })
  const scrape = fetch(url).then(response => response.text())
  await waitFor('it is under way', () => asked === 1)
  for (let n = 0; n < 40; n++) {
    const socket = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume()
    t.after(() => socket.destroy())
    await once(socket, 'connect')
  }
  metrics.resolve('newdt_jobs 1\n')
  assert.equal(await scrape, 'newdt_jobs 1\n')
})

test('requests one after the other on one connection, before any is answered, do no harm', async t => {
  const metrics = Promise.withResolvers<string>()
  const { port, url } = await start(t, {
    metrics: { text: () => metrics.promise, contentType: 'text/plain' },
  })
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  t.after(() => socket.destroy())
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40))
  await once(socket, 'close')
  metrics.resolve('newdt_jobs 1\n')
  assert.equal((await fetch(url)).status, 200)
})

test('silent connections leave room for another address, and are closed in time', async t => {
  const { server, port, url } = await start(t)
  const sockets = Array.from({ length: 20 }, () =>
    connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
      .on('error', () => {})
      .resume(),
  )
  t.after(() => sockets.forEach(socket => void socket.destroy()))
  await Promise.all(sockets.map(socket => once(socket, 'connect')))
  assert.equal((await fetch(url)).status, 200)
  server.closeIdleConnections() // That of the fetch.
  await waitFor('they are closed', () => sockets.every(socket => socket.destroyed || socket.readableEnded))
})
