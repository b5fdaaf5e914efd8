import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobInList } from '../../../handlers/jobs/job-in-list.ts'
import { CHANGES_KEPT, createJobChanges } from '../../../lib/jobs/changes.ts'
import { createJobEvents } from '../../../lib/jobs/events.ts'
import type { Job, JobRecord } from '../../../lib/jobs/job.ts'
import { faultsOf } from '../../support/answer-schemas.ts'
import { runningJob } from '../../support/sample-jobs.ts'
import { waitFor } from '../../support/wait-for.ts'
import { isPending, settled } from '../deadline.ts'
import { assertBadRequest, createFake, jobRecord, signed } from '../fake-services.ts'
import { eventReader, eventsOf, type ServerSentEvent } from '../server-sent-events.ts'

const PATH = '/api/events'
const EPOCH = '0123456789ab'
const idOf = (number: number): string => number.toString(16).padStart(32, '0')

/** An agent whose jobs are what a test says. */
const createAgent = (epoch = EPOCH) => {
  const events = createJobEvents(error => assert.fail(String(error)))
  const changes = createJobChanges(events, epoch)
  const records = new Map<string, JobRecord>()
  const state = { waiting: 0, looked: 0, running: 0, isDraining: false }
  const wait = (tell: () => void) => {
    state.waiting++
    const forget = changes.wait(tell)
    return () => {
      state.waiting--
      forget()
    }
  }
  const fake = createFake({
    changes: { ...changes, wait },
    jobs: {
      listed(id) {
        state.looked++
        return records.get(id)
      },
      countRunning: () => state.running,
      isDraining: () => state.isDraining,
      isClosing: changes.isOver,
    },
  })
  return {
    ...changes,
    state,
    records,
    change(number: number, state: Job['state'] = 'running') {
      const id = idOf(number)
      records.set(id, jobRecord({ id, state }))
      events.emit({ kind: 'created', job: runningJob({ id }) })
    },
    open: (init: { query?: string; after?: string; signal?: AbortSignal } = {}) => {
      const headers: HeadersInit = init.after === undefined ? {} : { 'Last-Event-ID': init.after }
      return fake.open(signed(PATH + (init.query ?? ''), { headers, signal: init.signal ?? null }))
    },
  }
}

/** What a test may say of an event in a word. */
const named = ({ event, id, data, comment }: ServerSentEvent): string => {
  if (event === undefined) return `: ${comment}`
  if (event === 'agent') return `agent ${data.draining} ${data.stopping}`
  const seq = id?.split('-')[1]
  const job = data.job as { id: string; state: string } | undefined
  return job ? `${seq} ${Number.parseInt(job.id, 16)} ${job.state}` : `${seq} ${event}`
}

/** All of a stream, when the agent has stopped. */
const toldBy = async (agent: ReturnType<typeof createAgent>, init: Parameters<typeof agent.open>[0] = {}) => {
  agent.close()
  return (await eventsOf(await agent.open(init))).map(named)
}
const OVER = 'agent false true'

test('it is a stream of events that is not stored and not held back', async () => {
  const agent = createAgent()
  const { status, headers, body } = await agent.open()
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('x-accel-buffering'), 'no')
  await body!.cancel()
})

test('a new reader is told to read lists anew, and then each change with the job as a list has it', async () => {
  const agent = createAgent()
  agent.change(1)
  agent.state.running = 3
  const reader = eventReader(await agent.open())
  assert.deepEqual(await reader.next(), { event: 'reset', id: `${EPOCH}-1`, data: { running: 3 } })
  assert.deepEqual(await reader.next(), { event: 'agent', data: { draining: false, stopping: false } })
  agent.change(2, 'failed')
  agent.state.running = 2
  const told = (await reader.next())!
  assert.deepEqual(told, {
    event: 'job',
    id: `${EPOCH}-2`,
    data: { running: 2, job: jobInList(agent.records.get(idOf(2))!) },
  })
  assert.deepEqual(faultsOf(['components', 'schemas', 'JobChange'], told.data), [])
  await reader.cancel()
})

test('who resumes is told each job that has changed since, once and as it is now, in order', async () => {
  const agent = createAgent()
  agent.change(1)
  agent.change(2)
  agent.change(3)
  agent.change(1, 'success')
  agent.change(4)
  agent.change(2, 'canceled')
  const all = ['3 3 running', '4 1 success', '5 4 running', '6 2 canceled']
  assert.deepEqual(await toldBy(agent, { after: `${EPOCH}-0` }), [OVER, ...all])
  for (let after = 2; after <= 6; after++) {
    const rest = all.filter(line => Number(line[0]) > after)
    assert.deepEqual(await toldBy(agent, { after: `${EPOCH}-${after}` }), [OVER, ...rest])
    assert.deepEqual(await toldBy(agent, { query: `?after=${EPOCH}-${after}` }), [OVER, ...rest])
  }
  assert.deepEqual(await toldBy(agent, { query: `?after=${EPOCH}-0`, after: `${EPOCH}-5` }), [
    OVER,
    all.at(-1),
  ])
})

test('a position of another life of the agent, of the future, or too long ago begins with a reset', async () => {
  const agent = createAgent()
  for (let count = 0; count <= CHANGES_KEPT; count++) agent.change(count)
  const last = CHANGES_KEPT + 1
  for (const after of [`ab-${last}`, `${EPOCH}-${last + 1}`, `${EPOCH}-0`])
    assert.deepEqual(await toldBy(agent, { after }), [`${last} reset`, OVER], after)
})

test('a job that was removed meanwhile is left out, and those behind it are not', async () => {
  const agent = createAgent()
  for (let number = 1; number <= 100; number++) agent.change(number)
  for (let number = 1; number <= 99; number++) agent.records.delete(idOf(number))
  const told = await toldBy(agent, { after: `${EPOCH}-0` })
  assert.deepEqual(
    told.filter(line => line !== ': still here'),
    [OVER, '100 100 running'],
  )
  assert.ok(told.length > 2, 'a sign of life stands for a piece of which nothing is left')
})

test('changes that come shortly after one another are told once for each job', async t => {
  const agent = createAgent()
  const reader = eventReader(await agent.open())
  await reader.next()
  await reader.next()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const next = reader.next()
  await settled()
  agent.change(1)
  await settled()
  agent.change(1, 'success')
  t.mock.timers.tick(20)
  assert.equal(named((await next)!), '2 1 success')
  assert.equal(agent.state.looked, 1)
  assert.equal(await isPending(reader.next()), true)
  await reader.cancel()
})

test('a reader that does not read holds nothing, and misses nothing that is still known', async () => {
  const agent = createAgent()
  const response = await agent.open({ after: `${EPOCH}-0` })
  for (let count = 0; count < CHANGES_KEPT; count++) agent.change(count % 1000)
  await settled()
  assert.deepEqual([agent.state.looked, agent.state.waiting], [0, 0])
  const reader = eventReader(response)
  assert.equal(named((await reader.next())!), 'agent false false')
  assert.equal(named((await reader.next())!), `${CHANGES_KEPT - 999} ${(CHANGES_KEPT - 1000) % 1000} running`)
  assert.ok(agent.state.looked < 100, 'no more is made than is read')
  for (let count = 0; count < 2 * CHANGES_KEPT; count++) agent.change(count)
  let told = (await reader.next())!
  while (told.event === 'job') told = (await reader.next())!
  assert.equal(named(told), `${3 * CHANGES_KEPT} reset`)
  assert.ok(agent.state.looked < 100)
  await reader.cancel()
})

test('that the agent drains is told, and when it has stopped the stream ends behind the last change', async () => {
  const agent = createAgent()
  const reader = eventReader(await agent.open())
  await reader.next()
  await reader.next()
  agent.state.isDraining = true
  agent.notify()
  assert.equal(named((await reader.next())!), 'agent true false')
  agent.change(1, 'canceled')
  agent.close()
  assert.equal(named((await reader.next())!), 'agent true true')
  assert.equal(named((await reader.next())!), '1 1 canceled')
  assert.equal(await reader.next(), undefined)
})

test('nobody waits any more when the reader is gone, or the request', async () => {
  const gone = new AbortController()
  for (const leave of ['cancel', 'abort']) {
    const agent = createAgent()
    const response = await agent.open({ after: `${EPOCH}-0`, signal: gone.signal })
    const reader = response.body!.getReader()
    await reader.read()
    const next = reader.read()
    await waitFor('it waits', () => agent.state.waiting === 1)
    if (leave === 'cancel') await reader.cancel()
    else gone.abort()
    await next
    assert.equal(agent.state.waiting, 0, leave)
  }
})

test('when nothing changes a comment is sent every 15 seconds', async t => {
  const agent = createAgent()
  const reader = (await agent.open({ after: `${EPOCH}-0` })).body!.getReader()
  await reader.read()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (let count = 0; count < 3; count++) {
    const next = reader.read()
    await settled()
    t.mock.timers.tick(14_999)
    assert.equal(await isPending(next), true)
    t.mock.timers.tick(1)
    assert.equal(new TextDecoder().decode((await next).value), ': still here\n\n')
  }
  await reader.cancel()
})

test('what is no id of an event is refused, and named by where it stands', async () => {
  const bad = '应为事件的 ID'
  for (const id of ['1', '-1', 'x-1', `${EPOCH}-`, `${EPOCH}-1.5`, `${EPOCH}-1-1`, `${EPOCH} 1`, 'AB-1']) {
    const init = { headers: { 'Last-Event-ID': id } }
    await assertBadRequest(signed(`${PATH}?after=${encodeURIComponent(id)}`), `after ${bad}`)
    await assertBadRequest(signed(PATH, init), `Last-Event-ID ${bad}`)
    await assertBadRequest(signed(`${PATH}?after=${EPOCH}-1`, init), `Last-Event-ID ${bad}`)
  }
  await assertBadRequest(signed(`${PATH}?after=`), `after ${bad}`)
})
