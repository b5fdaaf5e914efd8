import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CHANGES_KEPT, createJobChanges } from '../../../lib/jobs/changes.ts'
import { createJobEvents } from '../../../lib/jobs/events.ts'
import { runningJob } from '../../support/sample-jobs.ts'

const create = (epoch?: string) => {
  const events = createJobEvents(error => assert.fail(String(error)))
  const changes = createJobChanges(events, epoch)
  const change = (id: string) => events.emit({ kind: 'created', job: runningJob({ id }) })
  return { ...changes, change }
}

/** What must come of it: each id at the place of its last change. */
const lastOfEach = (ids: readonly string[], after: number) =>
  ids
    .map((id, index) => ({ seq: index + 1, id }))
    .filter(({ seq, id }) => seq > after && ids.lastIndexOf(id) === seq - 1)

test('what has changed since a position is each job once, in the order of the last changes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 40 }),
      fc.nat(45),
      (ids, after) => {
        const { change, since } = create('e')
        ids.forEach(change)
        const expected = after > ids.length ? undefined : lastOfEach(ids, after)
        assert.deepEqual(since({ epoch: 'e', seq: after }), expected)
      },
    ),
  )
})

test('a reader that goes on behind what it was told misses nothing and is told nothing twice', () => {
  const steps = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 3 })), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(steps, steps => {
      const { change, since, now } = create('e')
      const ids: string[] = []
      let position = now()
      const read = (most: number) => {
        const [expected, all] = [lastOfEach(ids, position.seq), since(position)]
        assert.deepEqual(all, expected)
        const told = all.slice(0, most)
        position = { ...position, seq: told.at(-1)?.seq ?? position.seq }
      }
      for (const step of steps) {
        if (typeof step === 'number') read(step)
        else {
          ids.push(step)
          change(step)
        }
      }
      read(Number.POSITIVE_INFINITY)
      assert.deepEqual(since(position), [])
    }),
  )
})

test('a position is known until more changes lie behind it than are kept', () => {
  const { change, since, now } = create()
  change('first')
  const position = now()
  for (let count = 0; count < CHANGES_KEPT; count++) change(String(count))
  const kept = since(position)
  assert.equal(kept?.length, CHANGES_KEPT)
  assert.deepEqual(
    [kept[0], kept.at(-1)],
    [
      { seq: 2, id: '0' },
      { seq: CHANGES_KEPT + 1, id: String(CHANGES_KEPT - 1) },
    ],
  )
  change('one more')
  assert.equal(since(position), undefined)
  assert.equal(since({ ...position, seq: position.seq + 1 })?.length, CHANGES_KEPT)
})

test('a position of another life of the agent, or of the future, is not known', () => {
  const [first, second] = [create(), create()]
  for (const { change } of [first, second]) change('a')
  assert.equal(second.since(first.now()), undefined)
  assert.deepEqual(second.since(second.now()), [])
  assert.equal(second.since({ ...second.now(), seq: 2 }), undefined)
})

test('who waits is told of the next change, of the agent itself, and that it is over', () => {
  const { change, wait, notify, close, isOver, now } = create()
  const told: string[] = []
  wait(() => told.push('change'))
  wait(() => told.push('never'))()
  change('a')
  wait(() => told.push('agent'))
  notify()
  wait(() => told.push(`over: ${isOver()}`))
  close()
  assert.deepEqual(told, ['change', 'agent', 'over: true'])
  const before = now()
  change('b')
  assert.deepEqual(now(), before)
})
