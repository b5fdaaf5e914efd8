import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createEventParser } from '../../../lib/client/event-parser.ts'

const STREAM =
  'event: start\ndata: {"a":"é\u{1f680}"}\n\n: still here\n\nevent: stdout\nid: 1\ndata: x: y\n\n'
const EVENTS = [
  { name: 'start', id: '', data: '{"a":"é\u{1f680}"}' },
  { name: 'stdout', id: '1', data: 'x: y' },
]

test('events are the same wherever the stream is cut into pieces', () => {
  const bytes = new TextEncoder().encode(STREAM)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), cuts => {
      const parse = createEventParser()
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      const events = places.slice(1).flatMap((end, index) => [...parse(bytes.subarray(places[index], end))])
      assert.deepEqual(events, EVENTS)
    }),
  )
})

test('an event that is cut off is none', () => {
  const parse = createEventParser()
  assert.deepEqual([...parse(new TextEncoder().encode('event: end\ndata: {}\n'))], [])
})
