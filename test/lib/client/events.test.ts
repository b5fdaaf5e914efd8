import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { connect } from '../../../lib/client/client.ts'
import { NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

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

/** As much of a job as the client reads. */
const JOB = JSON.stringify(jobToJson({ job: runningJob(), output: NO_OUTPUT, livingLeftovers: 0 }))
const START = `event: start\ndata: ${JOB}\n\n`
const CHUNK =
  'event: stdout\nid: 1\ndata: {"seq":1,"time":"2026-01-31T12:00:00Z","position":0,"base64":"YQ=="}\n\n'
const END = `event: end\ndata: ${JOB}\n\n`

const namesOf = async (url: string, patienceMs: number): Promise<string[]> => {
  const names: string[] = []
  for await (const { type } of connect(url, { patienceMs }).job('0'.repeat(32)).events()) names.push(type)
  return names
}

test('patience counts from the last sign of life, so a job that was silent for long is followed again', async t => {
  const patienceMs = 500
  const url = await startAgent(t, [
    async response => {
      response.write(START)
      await setTimeout(patienceMs * 2) // Longer than anybody is patient; only comments come.
      response.write(': still here\n\n', () => response.destroy())
    },
    async response => void response.end(START + END),
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

test('a server that closes each connection at once is not asked without end', async t => {
  const once = async (response: ServerResponse) => void response.end(START)
  const url = await startAgent(
    t,
    Array.from({ length: 1000 }, () => once),
  )
  await assert.rejects(namesOf(url, 300), { word: 'unreachable' })
})

test('a line without end is no event of an agent', async t => {
  const endless = async (response: ServerResponse) => {
    response.write('data: ')
    while (!response.destroyed) await new Promise(resolve => response.write('x'.repeat(2 ** 20), resolve))
  }
  const url = await startAgent(t, [endless])
  await assert.rejects(namesOf(url, 300), { word: 'not-an-agent' })
})

test('an answer without end is not read to the end', async t => {
  const endless = async (response: ServerResponse) => {
    while (!response.destroyed) await new Promise(resolve => response.write('x'.repeat(2 ** 20), resolve))
  }
  const url = await startAgent(t, [endless])
  const result = await connect(url, { patienceMs: 0 }).status()
  assert.equal(!result.ok && result.error.word, 'not-an-agent')
})

test('a stream that nobody reads any more lets go of its connection, whatever the job does', async t => {
  const [opened, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const silent = async (response: ServerResponse) => {
    response.write(START)
    response.once('close', closed.resolve)
    opened.resolve()
  }
  const url = await startAgent(t, [silent])
  const reader = connect(url).job('0'.repeat(32)).stdout().getReader()
  const read = reader.read().catch(() => {})
  await opened.promise
  await reader.cancel()
  await Promise.all([closed.promise, read])
})

test('a chunk that comes again is not told twice, and is no progress', async t => {
  const again = async (response: ServerResponse) => void response.end(CHUNK)
  const url = await startAgent(
    t,
    Array.from({ length: 1000 }, () => again),
  )
  const seen: string[] = []
  const read = async () => {
    for await (const { type } of connect(url, { patienceMs: 300 }).job('0'.repeat(32)).events())
      seen.push(type)
  }
  await assert.rejects(read(), { word: 'unreachable' })
  assert.deepEqual(seen, ['stdout'])
})

test('that bytes are missing is told once, with what comes behind them, and as the last connection tells it', async t => {
  const missing = 'event: dropped\ndata: {"bytes":5}\n\n'
  const breaksOff = async (response: ServerResponse) => {
    response.write(START + missing, () => response.destroy())
  }
  for (const [rest, names] of [
    [missing + CHUNK, ['start', 'dropped', 'stdout', 'end']],
    [CHUNK, ['start', 'stdout', 'end']],
  ] as const) {
    const url = await startAgent(t, [breaksOff, async response => void response.end(rest + END)])
    assert.deepEqual(await namesOf(url, 5000), names)
  }
})

test('an event that is none of an agent ends the stream, and is not told', async t => {
  const odd = [
    'event: end\ndata: {}\n\n',
    'event: end\ndata: null\n\n',
    'event: start\ndata: x\n\n',
    'event: dropped\ndata: {"bytes":"many"}\n\n',
    'event: dropped\ndata: {"bytes":-5}\n\n',
    'event: dropped\ndata: {"bytes":1e999}\n\n',
    'event: stdout\ndata: {"seq":1,"time":"\\u001b[2J","position":0,"base64":"YQ=="}\n\n',
    'event: stdout\ndata: {"seq":1,"time":"2026-01-31T12:00:00Z","position":0}\n\n',
    'event: stdout\ndata: {"seq":1,"time":"2026-01-31T12:00:00Z","position":0,"base64":"?"}\n\n',
  ]
  for (const event of odd) {
    const url = await startAgent(t, [async response => void response.end(START + event)])
    const seen: string[] = []
    const read = async () => {
      for await (const { type } of connect(url, { patienceMs: 0 }).job('0'.repeat(32)).events())
        seen.push(type)
    }
    await assert.rejects(read(), { word: 'not-an-agent' }, event)
    assert.deepEqual(seen, ['start'], event)
  }
})

test('an answer without a body is not that of an agent', async () => {
  for (const status of [204, 205]) {
    const fetch = async () => new Response(null, { status })
    const events = connect('http://127.0.0.1:1', { fetch, patienceMs: 0 }).job('0'.repeat(32)).events()
    await assert.rejects(events.next(), { word: 'not-an-agent' })
  }
})
