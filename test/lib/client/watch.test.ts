import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { jobInList } from '../../../handlers/jobs/job-in-list.ts'
import { type ConnectOptions, connect, type WatchOptions } from '../../../lib/client/client.ts'
import { NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

type Connection = (response: ServerResponse) => void

/** An agent that does what is written here on each connection, one after the other; then it waits. */
const startAgent = async (t: TestContext, connections: Connection[]) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    connections.shift()?.(response)
  }).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const JOB = jobInList({ job: runningJob(), output: NO_OUTPUT, livingLeftovers: 0 })
const job = (seq: number, id = `ab-${seq}`, data: object = { running: 1, job: JOB }) =>
  `event: job\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
const reset = (seq: number) => `event: reset\nid: ab-${seq}\ndata: {"running":2}\n\n`
const agent = (draining: boolean) => `event: agent\ndata: {"draining":${draining},"stopping":false}\n\n`

const sends =
  (...events: string[]): Connection =>
  response =>
    void response.end(events.join(''))

const breaks: Connection = response => void response.destroy()

/** What the first events are, in words. */
const watch = async (
  url: string,
  count: number,
  { patienceMs = 5000, ...options }: WatchOptions & Pick<ConnectOptions, 'patienceMs'> = {},
) => {
  const told: string[] = []
  for await (const event of connect(url, { patienceMs }).watch(options)) {
    told.push('position' in event ? `${event.type} ${event.position}` : `agent ${event.draining}`)
    if (told.length === count) break
  }
  return told
}

test('jobs come as the agent tells them, and what it tells of itself', async t => {
  const { url, asked } = await startAgent(t, [
    sends(reset(1), agent(false), ': still here\n\n', 'event: new\ndata: x\n\n', job(2)),
  ])
  const seen = []
  for await (const event of connect(url).watch()) {
    seen.push(event)
    if (event.type === 'job') break
  }
  assert.deepEqual(seen, [
    { type: 'reset', position: 'ab-1', running: 2 },
    { type: 'agent', draining: false, stopping: false },
    { type: 'job', position: 'ab-2', running: 1, job: JOB },
  ])
  assert.deepEqual(asked, ['/api/events'])
})

test('after a broken connection it goes on where it was, and says so to whoever shows it', async t => {
  const cut: Connection = response => response.write(job(4).slice(0, -1), () => response.destroy())
  const { url, asked } = await startAgent(t, [
    sends(reset(1), agent(false), job(2)),
    breaks,
    sends(agent(false), job(3)),
    cut,
    sends(agent(true), job(4)),
  ])
  const states: boolean[] = []
  const onConnection = (isConnected: boolean) => void states.push(isConnected)
  const told = await watch(url, 6, { onConnection })
  assert.deepEqual(told, ['reset ab-1', 'agent false', 'job ab-2', 'job ab-3', 'agent true', 'job ab-4'])
  const after = [undefined, 2, 2, 3, 3].map(seq => (seq ? `/api/events?after=ab-${seq}` : '/api/events'))
  assert.deepEqual(asked, after)
  assert.ok(states.length >= 2)
  assert.deepEqual(
    states,
    states.map((_, index) => index % 2 === 1),
  )
  assert.equal(states.at(-1), true)
})

test('the events of one job tell of the connection too', async t => {
  const end = `event: end\ndata: ${JSON.stringify(JOB)}\n\n`
  const { url } = await startAgent(t, [sends(`event: start\ndata: ${JSON.stringify(JOB)}\n\n`), sends(end)])
  const states: boolean[] = []
  const names: string[] = []
  const onConnection = (isConnected: boolean) => void states.push(isConnected)
  for await (const { type } of connect(url).job(JOB.id).events({ onConnection })) names.push(type)
  assert.deepEqual(
    [names, states],
    [
      ['start', 'end'],
      [false, true],
    ],
  )
})

test('it begins where its caller says', async t => {
  const { url, asked } = await startAgent(t, [sends(job(8))])
  assert.deepEqual(await watch(url, 1, { after: 'ab-7' }), ['job ab-8'])
  assert.deepEqual(asked, ['/api/events?after=ab-7'])
})

test('an agent that does not come back is given up, and never by who has endless patience', async t => {
  const gone = Array.from({ length: 8 }, () => breaks)
  const hasty = await startAgent(t, [...gone])
  await assert.rejects(watch(hasty.url, 1, { patienceMs: 0 }), { word: 'unreachable' })
  const patient = await startAgent(t, [breaks, breaks, sends(reset(1))])
  assert.deepEqual(await watch(patient.url, 1, { patienceMs: Number.POSITIVE_INFINITY }), ['reset ab-1'])
})

test('an agent that tells the same again and again is given up', async t => {
  const { url } = await startAgent(
    t,
    Array.from({ length: 1000 }, () => sends(reset(1), agent(false))),
  )
  await assert.rejects(watch(url, 1e9, { patienceMs: 300 }), { word: 'unreachable' })
})

test('its caller ends it by a signal, and by leaving; the agent sees both', async t => {
  const [left, aborted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const open =
    (closed: PromiseWithResolvers<void>): Connection =>
    response =>
      void response.once('close', closed.resolve).write(reset(1))
  const { url } = await startAgent(t, [open(left), open(aborted)])
  await watch(url, 1)
  await left.promise
  const stop = new AbortController()
  const watched = connect(url).watch({ signal: stop.signal })
  await watched.next()
  stop.abort()
  await assert.rejects(watched.next(), { word: 'aborted' })
  await aborted.promise
})

test('an event that is none of an agent ends it, and is not told', async t => {
  const odd = [
    job(2, ''),
    job(2, 'ab 2'),
    job(2, 'x'.repeat(65)),
    job(2, 'ab-2', { running: 1 }),
    job(2, 'ab-2', { running: -1, job: JOB }),
    job(2, 'ab-2', { running: 1, job: { ...JOB, id: '../..' } }),
    job(2, 'ab-2', { running: 1, job: { ...JOB, state: '\u001b[2J' } }),
    'event: job\nid: ab-2\ndata: x\n\n',
    'event: reset\ndata: {"running":2}\n\n',
    'event: reset\nid: ab-2\ndata: null\n\n',
    'event: agent\ndata: {"draining":1,"stopping":false}\n\n',
  ]
  for (const event of odd) {
    const { url } = await startAgent(t, [sends(reset(1), event)])
    const told: string[] = []
    const read = async () => {
      for await (const { type } of connect(url, { patienceMs: 0 }).watch()) told.push(type)
    }
    await assert.rejects(read(), { word: 'not-an-agent' }, event)
    assert.deepEqual(told, ['reset'], event)
  }
})
