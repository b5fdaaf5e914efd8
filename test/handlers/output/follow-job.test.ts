import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeOutput } from '../fake-output.ts'
import { assertBadRequest, createFake, failed, ID, signed } from '../fake-services.ts'
import { eventsOf } from '../server-sent-events.ts'

const PATH = `/api/jobs/${ID}/events`
const BAD_ID = '应为事件的序号'

const resumed = (id: string) => ({ headers: { 'Last-Event-ID': id } })
const createTold = () =>
  createFakeOutput()
    .append('stdout', 'a')
    .append('stderr', 'b')
    .append('stdout', 'c')
    .append('stdout', 'd')
    .end()

/** The names of events, or for output the text, that a request is answered with. */
const seen = async (query: string, init: RequestInit = {}): Promise<unknown[]> => {
  const fake = createFake({ jobs: { open: createTold().open } })
  const response = await fake.open(signed(PATH + query, init))
  assert.equal(response.status, 200)
  assert.deepEqual(fake.calls[0], ['open', ID])
  return (await eventsOf(response)).map(({ event, data }) => data.text ?? event)
}

test('the events of a job begin at the start', async () => {
  const all = ['start', 'a', 'b', 'c', 'd', 'end']
  assert.deepEqual(await seen(''), all)
  assert.deepEqual(await seen('?after=0'), all)
  assert.deepEqual(await seen('', resumed('0')), all)
})

test('Last-Event-ID and after resume behind that event, at every event there is', async () => {
  for (const [id, expected] of Object.entries({
    1: ['b', 'c', 'd', 'end'],
    2: ['c', 'd', 'end'],
    3: ['d', 'end'],
    4: ['end'],
  })) {
    assert.deepEqual(await seen(`?after=${id}`), expected)
    assert.deepEqual(await seen('', resumed(id)), expected)
  }
})

test('encoding=base64 gives every chunk as its bytes, and output=false the last job without its output', async () => {
  const fake = createFake({ jobs: { open: createTold().open } })
  const events = await eventsOf(await fake.open(signed(`${PATH}?encoding=base64&output=false`)))
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  assert.deepEqual(
    events.map(({ event, data }) => data.base64 ?? event),
    ['start', ...['a', 'b', 'c', 'd'].map(base64), 'end'],
  )
  const last = events.at(-1)!.data
  assert.deepEqual([last.state, last.stdout, last.stderr, last.stdoutBytes], ['success', '', '', 3])
  for (const query of ['?encoding=gbk', '?output=no']) {
    assert.equal((await fake.open(signed(PATH + query))).status, 400)
  }
})

test('Last-Event-ID wins over after, which a browser sends again and again', async () => {
  assert.deepEqual(await seen('?after=1', resumed('3')), ['d', 'end'])
  assert.deepEqual(await seen('?after=3', resumed('1')), ['b', 'c', 'd', 'end'])
  assert.deepEqual((await seen('?after=3', resumed('0')))[0], 'start')
})

test('what is no seq is refused before anything is looked up', async () => {
  for (const id of ['-1', '1.5', 'x', '1e3', '+1', '0x1', '1 2', 'Infinity', '1'.repeat(16), '1,2']) {
    await assertBadRequest(signed(`${PATH}?after=${encodeURIComponent(id)}`), `after ${BAD_ID}`)
    await assertBadRequest(signed(PATH, resumed(id)), `Last-Event-ID ${BAD_ID}`)
    await assertBadRequest(signed(`${PATH}?after=1`, resumed(id)), `Last-Event-ID ${BAD_ID}`)
  }
  await assertBadRequest(signed(`${PATH}?after=`), `after ${BAD_ID}`)
  await assertBadRequest(signed(`${PATH}?after=1&after=1`), 'after 重复')
})

test('the events of an unknown job are 404, and not a stream', async () => {
  for (const [query, init] of [
    ['', {}],
    ['?after=3', {}],
    ['', resumed('3')],
  ] as const) {
    const fake = createFake({ jobs: { open: () => undefined } })
    const { status, body } = await fake.ask(signed(`/api/jobs/nope/events${query}`, init))
    assert.deepEqual({ status, body }, { status: 404, body: failed(404, '任务不存在') })
    assert.deepEqual(fake.calls, [['open', 'nope']])
  }
})
