import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { connect } from '../../../lib/client/client.ts'

/** An agent that does what is written here on each connection, one after the other. */
const startAgent = async (t: TestContext, connections: ((response: ServerResponse) => Promise<void>)[]) => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    void connections.shift()?.(response)
  }).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const namesOf = async (url: string, patienceMs: number): Promise<string[]> => {
  const names: string[] = []
  for await (const { type } of connect(url, { patienceMs }).job('0'.repeat(32)).events()) names.push(type)
  return names
}

test('patience counts from the last sign of life, so a job that was silent for long is followed again', async t => {
  const patienceMs = 500
  const url = await startAgent(t, [
    async response => {
      response.write('event: start\ndata: {}\n\n')
      await setTimeout(patienceMs * 2) // Longer than anybody is patient; only comments come.
      response.write(': still here\n\n', () => response.destroy())
    },
    async response => void response.end('event: start\ndata: {}\n\nevent: end\ndata: {}\n\n'),
  ])
  assert.deepEqual(await namesOf(url, patienceMs), ['start', 'end'])
})

test('an agent that does not come back is given up', async t => {
  const gone = async (response: ServerResponse) => void response.destroy()
  const url = await startAgent(
    t,
    Array.from({ length: 1000 }, () => gone),
  )
  await assert.rejects(namesOf(url, 0), { word: 'unreachable' })
})
