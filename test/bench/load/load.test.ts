import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, suite, test } from 'node:test'
import { createScratch } from '../scratch.ts'
import { findTools } from '../tools.ts'
import { createLoad } from './load.ts'

const { wrk } = findTools()

for (const [name, tool] of [
  ['wrk', wrk],
  ['autocannon', undefined],
] as const) {
  suite(name, { skip: name === 'wrk' && wrk === undefined && 'it is not installed' }, () => {
    const scratch = createScratch()
    after(() => scratch.remove())
    const load = createLoad(scratch, tool)

    test('sends what it is told to, and tells how many were answered, and how fast', async t => {
      const seen = new Set<string>()
      let answers = 0
      await using server = createServer(async (request, response) => {
        const chunks = await request.toArray()
        seen.add(`${request.method} ${request.url} ${request.headers['x-some']} ${Buffer.concat(chunks)}`)
        answers++
        response.end('ok')
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?x=1`
      const request = { url, method: 'POST', headers: { 'X-Some': 'value' }, body: '{"a":"b c"}' }
      const { perSecond, p50Ms, p99Ms } = await load({ ...request, connections: 2, seconds: 0.3 })
      t.diagnostic(JSON.stringify({ perSecond, p50Ms, p99Ms, answers }))
      assert.deepEqual([...seen], ['POST /path?x=1 value {"a":"b c"}'])
      assert.ok(perSecond > 0 && p50Ms > 0 && p99Ms >= p50Ms)
      server.closeAllConnections()
    })

    test('sends headers of its own with each request, if that is wanted', async () => {
      const seen: string[] = []
      await using server = createServer((request, response) => {
        seen.push(`${request.headers['x-all']} ${request.headers['x-each']}`)
        // No faster than what is measured, which there are headers for.
        setTimeout(() => response.end('ok'), 2)
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      const headersOfEach = (count: number) =>
        Array.from({ length: count }, (_, n) => ({ 'X-Each': `"${n}";a="b c"` }))
      const headers = { 'X-All': 'all' }
      await load({ url, headers, headersOfEach, connections: 2, seconds: 0.3 })
      assert.ok(seen.length > 2)
      assert.equal(new Set(seen).size, seen.length)
      for (const text of seen) assert.match(text, /^all "\d+";a="b c"$/)
      server.closeAllConnections()
    })

    test('sends its headers in the same order in each run, as one client does', async () => {
      const orders: string[][] = []
      await using server = createServer((request, response) => {
        orders.push(request.rawHeaders.filter((_, at) => at % 2 === 0))
        response.end('ok')
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      const headers = { 'X-A': '1', 'X-B': '2', 'X-C': '3', 'X-D': '4', 'X-E': '5' }
      const RUNS = 5
      for (let run = 0; run < RUNS; run++) await load({ url, headers, connections: 1, seconds: 0.1 })
      assert.ok(orders.length >= RUNS)
      for (const order of orders) assert.deepEqual(order, orders[0])
      server.closeAllConnections()
    })

    test('fails when an answer is bad', async () => {
      let answers = 0
      await using server = createServer((_request, response) => {
        response.writeHead(++answers === 5 ? 429 : 200).end()
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      await assert.rejects(load({ url, connections: 2, seconds: 0.3 }), /^Error: 1 bad answers from http/)
      server.closeAllConnections()
    })

    test('fails when nobody answers', async () => {
      await assert.rejects(load({ url: 'http://127.0.0.1:1/', connections: 1, seconds: 0.3 }))
    })
  })
}
