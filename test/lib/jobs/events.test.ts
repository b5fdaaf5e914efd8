import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createJobEvents, type JobEvent } from '../../../lib/jobs/events.ts'
import { runningJob } from '../../support/sample-jobs.ts'

const event = (): JobEvent => ({ kind: 'created', job: runningJob() })

test('every listener is told of every event, at once and in order, until it ends that', () => {
  const events = createJobEvents(error => assert.fail(String(error)))
  const seen: [string, JobEvent][] = []
  const leave = events.subscribe(one => seen.push(['a', one]))
  events.subscribe(one => seen.push(['b', one]))
  const [first, second] = [event(), event()]
  events.emit(first)
  leave()
  events.emit(second)
  assert.deepEqual(seen, [
    ['a', first],
    ['b', first],
    ['b', second],
  ])
})

test('a listener that throws is reported, and hinders nobody', () => {
  const errors: unknown[] = []
  const events = createJobEvents(error => errors.push(error))
  const failure = new Error('broken')
  let told = 0
  events.subscribe(() => {
    throw failure
  })
  events.subscribe(() => told++)
  events.emit(event())
  assert.deepEqual([errors, told], [[failure], 1])
})
