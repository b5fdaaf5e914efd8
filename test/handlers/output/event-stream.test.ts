import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPace } from '../../../handlers/http/pace.ts'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { withJob } from '../../../handlers/jobs/with-job.ts'
import { eventStream } from '../../../handlers/output/event-stream.ts'
import { formatTimestamp } from '../../../lib/base/timestamp.ts'
import { isPending, settled, withDeadline } from '../deadline.ts'
import { createFakeOutput, type FakeOutput, FIRST_TIME, SOURCE_ERROR, TIME_STEP } from '../fake-output.ts'
import { ID } from '../fake-services.ts'
import { eventReader, eventsOf, type ServerSentEvent } from '../server-sent-events.ts'

const NEVER = new AbortController().signal
const reading = () => ({ pace: createPace(), isAllowed: () => true })
const open = (output: FakeOutput, after = 0, signal = NEVER) =>
  withJob(ID, { open: output.open }, { signal }, reading(), job => eventStream(job, { after }))
const read = async (output: FakeOutput, after = 0) => eventsOf(await open(output, after))
const names = (events: ServerSentEvent[]) => events.map(({ event }) => event)
const droppedIn = (events: ServerSentEvent[]) =>
  events.filter(({ event }) => event === 'dropped').map(({ data }) => data.bytes)

/** The bytes of an output event, written in UTF-8. */
const bytesOf = ({ data }: ServerSentEvent): Buffer =>
  'base64' in data ? Buffer.from(String(data.base64), 'base64') : Buffer.from(String(data.text))
const outputIn = (events: ServerSentEvent[], stream: 'stdout' | 'stderr'): Buffer =>
  Buffer.concat(events.filter(({ event }) => event === stream).map(bytesOf))

test('an event stream is text/event-stream, is not stored, not held back, and names its job', async () => {
  const { status, headers } = await open(createFakeOutput())
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('x-accel-buffering'), 'no')
  assert.equal(headers.get('x-job-id'), ID)
  assert.equal(headers.get('content-length'), null)
})

test('the events are the start, each chunk in order with its seq as id, and the end', async () => {
  const output = createFakeOutput({ turn: 2 })
    .append('stdout', 'a\n')
    .append('stderr', '警告')
    .append('stdout', 'c\r\n\r\ndata: x\n\n')
    .end()
  const events = await read(output)
  const time = (index: number) => formatTimestamp(FIRST_TIME + index * TIME_STEP)
  assert.deepEqual(events.slice(1, -1), [
    { event: 'stdout', id: '1', data: { seq: 1, time: time(0), position: 0, text: 'a\n' } },
    { event: 'stderr', id: '2', data: { seq: 2, time: time(1), position: 2, text: '警告' } },
    { event: 'stdout', id: '3', data: { seq: 3, time: time(2), position: 8, text: 'c\r\n\r\ndata: x\n\n' } },
  ])
  assert.deepEqual(names(events), ['start', 'stdout', 'stderr', 'stdout', 'end'])
  assert.deepEqual([events[0]!.id, events.at(-1)!.id], [undefined, undefined])
})

test('start is the job without its output, end is the whole of the final job', async () => {
  const output = createFakeOutput().append('stdout', 'a').append('stderr', 'b')
  const reader = eventReader(await open(output))
  const running = jobToJson((await output.open().now())!)
  const start = await reader.next()
  assert.deepEqual(start, { event: 'start', data: running })
  await reader.next()
  await reader.next()
  const end = reader.next()
  assert.equal(await isPending(end), true)
  output.end()
  const final = { ...jobToJson((await output.open().now())!), stdout: 'a', stderr: 'b' }
  assert.equal(final.state, 'success')
  assert.deepEqual(await end, { event: 'end', data: final })
  assert.equal(await reader.next(), undefined)
})

test('end is sent only when the job has ended and all that it wrote was given', async () => {
  const output = createFakeOutput()
  const reader = eventReader(await open(output))
  assert.equal((await reader.next())?.event, 'start')
  const next = reader.next()
  assert.equal(await isPending(next), true)
  output.append('stdout', 'a')
  assert.equal((await next)?.event, 'stdout')
  const last = reader.next()
  assert.equal(await isPending(last), true)
  output.append('stderr', 'b').end()
  assert.equal((await last)?.event, 'stderr')
  assert.equal((await reader.next())?.event, 'end')
  assert.equal(await reader.next(), undefined)
  assert.deepEqual([output.opened, output.released], [1, 1])
})

test('what was dropped before, between and after the chunks is told where it was', async () => {
  const output = createFakeOutput({ turn: 10 })
    .skip('stdout', 5)
    .append('stdout', 'a')
    .append('stdout', 'b')
    .skip('stderr', 7)
    .skip('stdout', 2)
    .append('stderr', 'c')
    .skip('stdout', 3)
    .end()
  const events = await read(output)
  assert.deepEqual(names(events), [
    ...['start', 'dropped', 'stdout', 'stdout', 'dropped', 'stderr', 'dropped', 'end'],
  ])
  assert.deepEqual(droppedIn(events), [5, 9, 3])
})

test('of a job of which nothing is kept, all is dropped', async () => {
  const events = await read(createFakeOutput().skip('stdout', 4).skip('stderr', 1).end())
  assert.deepEqual(names(events), ['start', 'dropped', 'end'])
  assert.deepEqual(droppedIn(events), [5])
})

test('a reader that falls behind is told what was superseded meanwhile', async () => {
  const output = createFakeOutput()
  for (const text of ['one', 'two', 'three', 'four']) output.append('stdout', text)
  const reader = eventReader(await open(output))
  await reader.next()
  assert.equal((await reader.next())?.data.text, 'one')
  await settled()
  const ahead = output.taken
  output.append('stdout', 'five').append('stdout', 'six').supersede(4, 5).end()
  const events: ServerSentEvent[] = []
  for (let event = await reader.next(); event; event = await reader.next()) events.push(event)
  assert.ok(ahead <= 3)
  assert.deepEqual(
    events.map(({ event, data }) => data.text ?? data.bytes ?? event),
    ['two', 'three', 8, 'six', 'end'],
  )
})

test('a resumed stream tells what was dropped since the event that it resumes behind', async () => {
  const output = createFakeOutput()
  for (const text of ['one', 'two', 'three', 'four']) output.append('stdout', text)
  const events = await read(output.supersede(2, 3).end(), 1)
  assert.deepEqual(names(events), ['dropped', 'stdout', 'end'])
  assert.deepEqual(droppedIn(events), [8])
})

test('behind an event that is gone itself, how much was dropped is unknown, and said so', async () => {
  const output = createFakeOutput()
  for (const text of ['one', 'two', 'three', 'four']) output.append('stdout', text)
  const events = await read(output.supersede(2, 3).end(), 2)
  assert.deepEqual(names(events), ['dropped', 'stdout', 'end'])
  assert.deepEqual(droppedIn(events), [null])
})

for (const [encoding, bytes, text] of [
  ['utf-8', '汉', '汉'],
  ['gbk', 'baba', '汉'],
  ['gb18030', '8130', undefined],
  ['gbk', 'ba', undefined],
  ['gbk', 'ff', undefined],
  ['gbk', 'babaff', undefined],
  ['gbk', '6162', 'ab'],
  ['utf-8', 'e6b1', undefined],
  ['utf-8', '89', undefined],
  ['utf-8', 'ff', undefined],
  ['utf-8', 'efbbbf61', '\ufeffa'],
  ['utf-8', '00', '\0'],
  ['big5', 'ba', undefined],
  ['shift_jis', '8abf', '漢'],
  ['shift_jis', '8a', undefined],
  ['windows-1252', 'e9', 'é'],
  ['utf-16le', '496c', '汉'],
  ['utf-16le', '49', undefined],
] as const) {
  test(`${bytes} in ${encoding} is given as ${text === undefined ? 'base64' : 'text'}`, async () => {
    const raw = bytes === '汉' ? Buffer.from(bytes) : Buffer.from(bytes, 'hex')
    const events = await read(createFakeOutput({ encoding }).append('stdout', raw).end())
    const { text: given, base64 } = events[1]!.data
    assert.equal(given, text)
    assert.equal(base64, text === undefined ? raw.toString('base64') : undefined)
  })
}

test('a character of GBK that is cut anywhere between chunks loses no byte', async () => {
  const raw = Buffer.from('6162babad7d6c4e3bac363', 'hex')
  for (let at = 1; at < raw.length; at++) {
    const parts = [raw.subarray(0, at), raw.subarray(at)]
    const output = createFakeOutput({ encoding: 'gbk' })
    for (const part of parts) output.append('stdout', part)
    const events = (await read(output.end())).slice(1, -1)
    for (const [index, { data }] of events.entries()) {
      if ('base64' in data) assert.deepEqual(Buffer.from(String(data.base64), 'base64'), parts[index])
      else assert.equal(data.text, new TextDecoder('gbk', { fatal: true }).decode(parts[index]))
    }
  }
})

const PIECES = fc.array(
  fc.tuple(
    fc.boolean(),
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 6 })
        .map(text => new Uint8Array(Buffer.from(text))),
    ),
    fc.oneof(fc.constant(0), fc.nat(9)),
  ),
  { maxLength: 12 },
)

/** What is written and skipped, by chunks. */
const createFilled = (pieces: [boolean, Uint8Array, number][], turn: number): FakeOutput => {
  const output = createFakeOutput({ turn })
  for (const [isError, bytes, skipped] of pieces) {
    const stream = isError ? 'stderr' : 'stdout'
    output.append(stream, bytes).skip(stream, skipped)
  }
  return output
}

test('text and base64 of all events are the bytes that were kept, dropped is the rest', () =>
  fc.assert(
    fc.asyncProperty(PIECES, fc.integer({ min: 1, max: 4 }), async (pieces, turn) => {
      const output = createFilled(pieces, turn).end()
      const events = await read(output)
      for (const stream of ['stdout', 'stderr'] as const)
        assert.deepEqual(outputIn(events, stream), output.of(stream))
      const skipped = pieces.reduce((sum, [, , bytes]) => sum + bytes, 0)
      assert.equal(
        droppedIn(events).reduce<number>((sum, bytes) => sum + Number(bytes), 0),
        skipped,
      )
      assert.equal(events.at(-1)!.data.droppedBytes, skipped)
    }),
    { numRuns: 60 },
  ))

test('a stream that is cut anywhere and resumed there gives nothing twice and misses nothing', () =>
  fc.assert(
    fc.asyncProperty(PIECES, fc.array(fc.nat(4), { maxLength: 6 }), async (pieces, cuts) => {
      const output = createFilled(pieces, 2).end()
      const events: ServerSentEvent[] = []
      for (const count of [...cuts, Number.POSITIVE_INFINITY]) {
        const after = Number(events.findLast(({ id }) => id !== undefined)?.id ?? 0)
        const reader = eventReader(await open(output, after))
        for (let taken = 0; taken < count; ) {
          const event = await reader.next()
          if (!event) break
          if (event.id === undefined) continue
          events.push(event)
          taken++
        }
        await reader.cancel()
      }
      assert.deepEqual(
        events.map(({ id }) => Number(id)),
        output.chunks.map(({ seq }) => seq),
      )
      assert.deepEqual(Buffer.concat(events.map(bytesOf)), output.bytes)
      assert.equal(output.opened, output.released)
      assert.equal(output.jobsOpened, output.jobsClosed)
    }),
    { numRuns: 60 },
  ))

test('a stream on which nothing happens gives a comment, which is asked for every 15 seconds', async () => {
  const output = createFakeOutput()
  const reader = eventReader(await open(output))
  await reader.next()
  for (let count = 0; count < 3; count++) {
    const next = reader.next()
    assert.equal(await isPending(next), true)
    output.idle()
    const { comment, event, id } = (await next)!
    assert.deepEqual([typeof comment, event, id], ['string', undefined, undefined])
  }
  assert.deepEqual(
    output.follows.map(({ idleMs }) => idleMs),
    [15_000],
  )
  await reader.cancel().catch(() => {})
})

test('a reader that goes away ends the stream, without an end event, before and after the first byte', async () => {
  for (const written of [0, 1]) {
    const output = createFakeOutput()
    if (written > 0) output.append('stdout', 'x')
    const gone = new AbortController()
    const reader = eventReader(await open(output, 0, gone.signal))
    for (let count = 0; count <= written; count++) await reader.next()
    const next = reader.next()
    assert.equal(await isPending(next), true)
    gone.abort()
    assert.equal(await withDeadline(next, 'the end of the body'), undefined)
    assert.deepEqual([output.opened, output.released], [1, 1])
    assert.deepEqual([output.jobsOpened, output.jobsClosed], [1, 1])
  }
})

test('a source that fails midway breaks the stream, and sends no end', async () => {
  const output = createFakeOutput({ failAfter: 1 }).append('stdout', 'a').append('stdout', 'b').end()
  const reader = eventReader(await open(output))
  assert.equal((await reader.next())?.event, 'start')
  assert.equal((await reader.next())?.data.text, 'a')
  await assert.rejects(reader.next(), SOURCE_ERROR)
  assert.deepEqual([output.opened, output.released], [1, 1])
})

test('a job that cannot be read at its end breaks the stream', async () => {
  const output = createFakeOutput({ now: () => Promise.reject(SOURCE_ERROR) })
    .append('stdout', 'a')
    .end()
  const reader = eventReader(await open(output, 1))
  await assert.rejects(reader.next(), SOURCE_ERROR)
  assert.deepEqual([output.jobsOpened, output.jobsClosed], [1, 1])
})

test('nothing is taken from the source before the reader asks, nor more than one piece beyond', async () => {
  const output = createFakeOutput()
  for (let count = 0; count < 100; count++) output.append('stdout', `${count}`)
  const reader = (await open(output.end())).body!.getReader()
  await settled()
  assert.deepEqual([output.taken, output.jobReads <= 1], [0, true])
  for (let count = 0; count < 11; count++) await reader.read()
  await settled()
  assert.ok(output.taken <= 11, `${output.taken} taken for 10`)
  await reader.cancel()
  assert.deepEqual([output.opened, output.released], [1, 1])
})

const openWith = (output: FakeOutput, options: Parameters<typeof eventStream>[1]) =>
  withJob(ID, { open: output.open }, { signal: NEVER }, reading(), job => eventStream(job, options))
const threeLines = () =>
  createFakeOutput().append('stdout', 'one\ntwo\n').append('stderr', 'three\n').append('stdout', 'four\n')

test('tail begins with the last lines of both streams, in the middle of a chunk, and drops nothing', async () => {
  const events = await eventsOf(await openWith(threeLines().end(), { tail: 3 }))
  assert.deepEqual(names(events), ['start', 'stdout', 'stderr', 'stdout', 'end'])
  assert.deepEqual(
    events.slice(1, -1).map(({ id, data }) => [id, data.position, data.text]),
    [
      ['1', 4, 'two\n'],
      ['2', 8, 'three\n'],
      ['3', 14, 'four\n'],
    ],
  )
  const all = await eventsOf(await openWith(threeLines().end(), { tail: 9 }))
  assert.equal(all[1]!.data.text, 'one\ntwo\n')
  const after = await eventsOf(await openWith(threeLines().end(), { tail: 1, after: 1 }))
  assert.deepEqual(names(after), ['stderr', 'stdout', 'end'])
})

test('a running job that is not followed is caught up with, and what it writes meanwhile is left', async () => {
  const output = threeLines()
  const reader = eventReader(await openWith(output, { follow: false }))
  assert.deepEqual([(await reader.next())?.event, (await reader.next())?.event], ['start', 'stdout'])
  output.append('stdout', 'later\n')
  assert.equal((await reader.next())?.data.text, 'three\n')
  assert.equal((await reader.next())?.data.text, 'four\n')
  assert.equal((await reader.next())?.event, 'caught-up')
  assert.equal(await reader.next(), undefined)
  assert.deepEqual(names(await eventsOf(await openWith(createFakeOutput(), { follow: false }))), [
    'start',
    'caught-up',
  ])
})

test('an ended job that is not followed has its end', async () => {
  const events = await eventsOf(await openWith(threeLines().end(), { follow: false, tail: 1 }))
  assert.deepEqual(names(events), ['start', 'stdout', 'end'])
})
