import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JobEvent } from '../../../../lib/client/types.ts'
import type { StreamName } from '../../../../runtime/console/output/output.ts'
import { createShownRows } from '../../../../runtime/console/output/shown-rows.ts'
import { chunk, END, outputOf, rowsOf } from './feed-output.ts'

test('a line stands where its first byte came, and grows there while the other stream writes', async () => {
  const output = await outputOf([
    chunk('stdout', 'one, '),
    chunk('stderr', 'oh\nno'),
    chunk('stdout', 'two\nthree'),
    chunk('stderr', '!\n'),
  ])
  assert.deepEqual(rowsOf(output), ['out: one, two', 'err: oh', 'err: no!', 'out: three'])
  assert.equal(output.lines.value, 4)
  assert.equal(output.bytes.value, 21)
})

test('what comes after a lone CR takes the place of the line, and a CR before the line end does not', async () => {
  const output = await outputOf([
    chunk('stdout', '10 %\r20 %\r'),
    chunk('stdout', '\r30 %'),
    chunk('stdout', '\r\nend\r\n'),
  ])
  assert.deepEqual(rowsOf(output), ['out: 30 %', 'out: end'])
})

test('a place where bytes are missing is a row, and ends the lines before it', async () => {
  const output = await outputOf([
    { type: 'dropped', bytes: null },
    chunk('stdout', Uint8Array.of(0x61, 0xe2, 0x82)),
    { type: 'dropped', bytes: 7 },
    chunk('stdout', 'b\n'),
  ])
  assert.deepEqual(rowsOf(output), ['gap: null', 'out: a\ufffd', 'gap: 7', 'out: b'])
})

test('a character that is cut between two chunks is read as one, in the encoding of the job', async () => {
  const output = await outputOf(
    [chunk('stdout', Uint8Array.of(0xd6)), chunk('stdout', Uint8Array.of(0xd0, 10))],
    'gbk',
  )
  assert.deepEqual(rowsOf(output), ['out: 中'])
})

test('bytes that are not of the encoding become U+FFFD, and an unknown encoding is read as UTF-8', async () => {
  const output = await outputOf([chunk('stderr', Uint8Array.of(0xff, 0x41)), END], 'no-such-encoding')
  assert.deepEqual(rowsOf(output), ['err: \ufffdA'])
})

test('a long line is cut into rows that continue it, and counts as one', async () => {
  const output = await outputOf([chunk('stdout', `${'x'.repeat(9000)}\nend`)])
  assert.deepEqual(rowsOf(output), [
    `out: ${'x'.repeat(4096)}`,
    `out+ ${'x'.repeat(4096)}`,
    `out+ ${'x'.repeat(808)}`,
    'out: end',
  ])
  assert.equal(output.lines.value, 2)
  const rows = createShownRows(output, 'both')
  assert.deepEqual(
    [0, 1, 2, 3].map(place => rows.at(place)).map(row => row.type !== 'gap' && row.line),
    [1, 1, 1, 2],
  )
})

test('events that are not waited for are taken in their order', async () => {
  const output = await outputOf([])
  void output.feed(chunk('stdout', 'x'.repeat(100_000)))
  await output.feed(chunk('stdout', '\nlast'))
  assert.equal(rowsOf(output).at(-1), 'out: last')
})

test('each row has the time of the chunk that began it, exactly as it was told', async () => {
  const times = [
    '2026-07-29T08:15:30.123456+02:00',
    '2026-07-29T06:15:31Z',
    '2026-07-29T06:15:31.05Z',
    'never',
  ]
  const output = await outputOf(times.map(time => ({ ...chunk('stdout', 'a\nb\nc'), time }) as JobEvent))
  assert.deepEqual(
    [0, 1, 2, 3, 5, 7].map(row => output.times.of(row)?.exact),
    [times[0], times[0], times[0], times[1], times[2], undefined],
  )
  assert.equal(output.times.of(0)?.ms, Date.parse(times[0]!))
})

test('rows are those of a naive model, however the bytes are cut and the streams mixed', async () => {
  const parts = fc.array(
    fc.oneof(
      fc.constantFrom('a', 'bc', '\n', '\r', '\r\n', '€', '😀', '\n\n'),
      fc.constantFrom('😀'.repeat(2100), `x${'😀'.repeat(2049)}`, 'y'.repeat(4096), 'z'.repeat(9000)),
    ),
    { maxLength: 30 },
  )
  const cuts = fc.array(
    fc.record({
      stream: fc.constantFrom<StreamName>('stdout', 'stderr'),
      length: fc.integer({ min: 1, max: 6000 }),
    }),
    { maxLength: 30 },
  )
  const gapAt = fc.option(fc.nat({ max: 30 }))
  await fc.assert(
    fc.asyncProperty(parts, parts, cuts, gapAt, async (out, err, cuts, gapAt) => {
      const left = {
        stdout: new TextEncoder().encode(out.join('')),
        stderr: new TextEncoder().encode(err.join('')),
      }
      const events: JobEvent[] = []
      for (const { stream, length } of [
        ...cuts,
        { stream: 'stdout', length: 1e9 },
        { stream: 'stderr', length: 1e9 },
      ] as const) {
        if (events.length === gapAt) events.push({ type: 'dropped', bytes: 5 })
        events.push(chunk(stream, left[stream].slice(0, length)))
        left[stream] = left[stream].slice(length)
      }
      const output = await outputOf(events)
      const expected = modelRows(events)
      assert.deepEqual(rowsOf(output), expected)
      assert.deepEqual(
        rowsOf(output, 'stdout'),
        expected.filter(row => !row.startsWith('err')),
      )
      assert.deepEqual(
        rowsOf(output, 'stderr'),
        expected.filter(row => !row.startsWith('out')),
      )
    }),
    { numRuns: 200 },
  )
})

/** One character after the other, each line an object. */
const modelRows = (events: JobEvent[]): string[] => {
  const rows: { prefix: string; text: string }[] = []
  const create = () => ({
    decoder: new TextDecoder(),
    row: undefined as { text: string } | undefined,
    isReturned: false,
  })
  const streams = { stdout: create(), stderr: create() }
  const add = (name: StreamName, character: string) => {
    const stream = streams[name]
    const begin = (mark: string) => {
      const row = { prefix: `${name.slice(3)}${mark} `, text: '' }
      rows.push(row)
      stream.row = row
    }
    if (character === '\r') {
      stream.isReturned = true
      return
    }
    if (!stream.row) begin(':')
    else if (stream.isReturned && character !== '\n') stream.row.text = ''
    stream.isReturned = false
    if (character === '\n') {
      stream.row = undefined
      return
    }
    if (stream.row!.text.length + character.length > 4096) begin('+')
    stream.row!.text += character
  }
  for (const event of events) {
    if (event.type === 'dropped') {
      for (const name of ['stdout', 'stderr'] as const) {
        for (const character of streams[name].decoder.decode()) add(name, character)
        streams[name].row = undefined
        streams[name].isReturned = false
      }
      rows.push({ prefix: 'gap: ', text: String(event.bytes) })
    } else if (event.type === 'stdout' || event.type === 'stderr') {
      const text = streams[event.type].decoder.decode(event.bytes, { stream: true })
      for (const character of text) add(event.type, character)
    }
  }
  return rows.map(({ prefix, text }) => prefix + text)
}
