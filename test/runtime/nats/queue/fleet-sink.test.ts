import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NatsConnection } from '@nats-io/nats-core'
import fc from 'fast-check'
import { createFleetSink, fleetPause } from '../../../../runtime/nats/queue/fleet-sink.ts'

test('a pause is a whole number of milliseconds, at most half a minute, and grows', () => {
  const random = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (tries, one) => {
      const pause = fleetPause(tries, one)
      assert.ok(Number.isInteger(pause) && pause > 0 && pause <= 30_000)
      assert.ok(fleetPause(tries + 1, one) >= pause)
    }),
  )
})

test('what is new waits until what an engine may have lost is told again', () => {
  let isHeld = true
  const sink = createFleetSink({
    host: 'db1',
    connection: () => ({}) as NatsConnection,
    isHeld: () => isHeld,
    recordEnd: async () => {},
  })
  assert.equal(sink.isReady?.(), false)
  isHeld = false
  assert.equal(sink.isReady?.(), true)
})
