import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWireCount } from './wire-count.ts'

test('what a browser has kept does not count as taken over the wire', () => {
  const wire = createWireCount()
  wire.onFinished({ requestId: 'page', encodedDataLength: 1500 })
  wire.onFinished({ requestId: 'script', encodedDataLength: 2500 })
  wire.onServedFromCache({ requestId: 'from memory' })
  wire.onFinished({ requestId: 'from memory', encodedDataLength: 9000 })
  wire.onFinished({ requestId: 'from disk', encodedDataLength: 0 })
  assert.deepEqual(wire.figures(), { requests: 2, kb: 4 })
})
