import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Delivery } from '../../../../runtime/nats/queue/delivery.ts'
import type { QueueConsumer } from '../../../../runtime/nats/queue/ensure-engine.ts'
import { createPuller } from '../../../../runtime/nats/queue/puller.ts'
import { PullForbiddenError } from '../../../../runtime/nats/queue/pulls.ts'
import { createSlots } from '../../../../runtime/nats/queue/slots.ts'
import { waitFor } from '../../../support/wait-for.ts'

const consumer = (value: string, priority: 'high' | 'normal'): QueueConsumer => ({
  name: `role=${value}${priority === 'high' ? ':high' : ''}`,
  label: { name: 'role', value },
  priority,
  ackWaitMs: 1000,
})

/** An engine that gives what is in its queues, and slots that are taken and freed by hand. */
const setUp = (consumers: QueueConsumer[], count: number, each = 0) => {
  const queues = new Map(consumers.map(one => [one, each]))
  const waiting = new Map<QueueConsumer, (delivery: Delivery | undefined) => void>()
  const taken: string[] = []
  let used = 0
  let most = 0
  let givenBack = 0
  let pulls = 0
  let tooEarly = 0
  const delivery = (from: QueueConsumer) => {
    const giveBack = () => {
      givenBack++
      queues.set(from, queues.get(from)! + 1)
    }
    return { from, giveBack } as unknown as Delivery
  }
  const slots = createSlots(
    () => count - used,
    () => puller.wake(),
  )
  const puller = createPuller({
    consumers,
    slots,
    async pull(from, waitMs) {
      pulls++
      if (slots.left() <= 0) tooEarly++
      const left = queues.get(from)!
      if (left > 0) {
        queues.set(from, left - 1)
        return delivery(from)
      }
      if (waitMs === 0) return undefined
      return new Promise<Delivery | undefined>(resolve => waiting.set(from, resolve))
    },
    take(one, slot) {
      taken.push(one.from.name)
      used++
      most = Math.max(most, used)
      slot.release()
    },
    onError: error => assert.fail(String(error)),
    onForbidden: ({ name }) => assert.fail(name),
  })
  return {
    taken,
    wake: puller.wake,
    publish(from: QueueConsumer): void {
      const resolve = waiting.get(from)
      waiting.delete(from)
      queues.set(from, queues.get(from)! + (resolve ? 0 : 1))
      resolve?.(delivery(from))
    },
    end(): void {
      used--
      puller.wake()
    },
    used: () => used,
    most: () => most,
    givenBack: () => givenBack,
    pulls: () => pulls,
    /** Pulls while there was no slot. */
    tooEarly: () => tooEarly,
    isWaitingAt: (from: QueueConsumer) => waiting.has(from),
    async close(): Promise<void> {
      const done = puller.close()
      for (const resolve of waiting.values()) resolve(undefined)
      await done
    },
  }
}

const [A, B, A_HIGH] = [consumer('a', 'normal'), consumer('b', 'normal'), consumer('a', 'high')]

test('those of a high priority come first, and labels take turns', async () => {
  const own = setUp([A, B, A_HIGH], 1, 2)
  for (let count = 1; count <= 6; count++) {
    await waitFor(`${count} are taken`, () => own.taken.length === count)
    own.end()
  }
  assert.deepEqual(own.taken.slice(0, 2), ['role=a:high', 'role=a:high'])
  assert.deepEqual(own.taken.slice(2), ['role=a', 'role=b', 'role=a', 'role=b'])
  await own.close()
})

test('where nothing waits there is one pull at each consumer, however few slots there are, and no other', async () => {
  const consumers = Array.from({ length: 16 }, (_, number) => [
    consumer(`v${number}`, 'high'),
    consumer(`v${number}`, 'normal'),
  ]).flat()
  const own = setUp(consumers, 1)
  await waitFor('a pull waits at each', () => consumers.every(own.isWaitingAt))
  // Each has been asked what there is, and then waited at.
  assert.equal(own.pulls(), 2 * consumers.length)
  for (let count = 0; count < 50; count++) {
    own.wake()
    await new Promise(setImmediate)
  }
  assert.equal(own.pulls(), 2 * consumers.length)
  own.publish(consumers[17]!)
  await waitFor('it is taken', () => own.taken.length === 1)
  await own.close()
})

test('nothing that has no slot is kept, and nothing more is asked for then', async () => {
  const own = setUp([A, B, A_HIGH], 1)
  await waitFor('a pull waits at each', () => [A, B, A_HIGH].every(own.isWaitingAt))
  for (const from of [A, B, A_HIGH]) own.publish(from)
  await waitFor('two are given back', () => own.givenBack() === 2)
  const before = own.pulls()
  for (let count = 0; count < 50; count++) {
    own.wake()
    await new Promise(setImmediate)
  }
  assert.deepEqual([own.pulls(), own.taken], [before, ['role=a']])
  own.end()
  await waitFor('the next one is taken', () => own.taken.length === 2)
  own.end()
  await waitFor('the last one is taken', () => own.taken.length === 3)
  assert.deepEqual(own.taken.slice(1), ['role=a:high', 'role=b'])
  await own.close()
})

test('there is never more taken than slots, and nothing is asked for without one, whatever comes and ends', async () => {
  const step = fc.oneof(
    fc.constantFrom(A, B, A_HIGH).map(from => ({ from })),
    fc.constant({ from: undefined }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 20 }),
      async (slots, steps) => {
        const own = setUp([A, B, A_HIGH], slots)
        for (const { from } of steps) {
          if (from) own.publish(from)
          else if (own.used() > 0) own.end()
          await new Promise(setImmediate)
        }
        assert.ok(own.most() <= slots)
        assert.equal(own.tooEarly(), 0)
        // None is lost.
        const published = steps.filter(({ from }) => from).length
        await waitFor('all are taken', () => {
          if (own.used() > 0) own.end()
          return own.taken.length === published
        })
        await own.close()
      },
    ),
    { numRuns: 50 },
  )
})

test('a consumer at which the agent may not pull is told of, and holds up no other', async () => {
  const forbidden: string[] = []
  const taken: string[] = []
  const puller = createPuller({
    consumers: [A, B],
    slots: createSlots(
      () => 1,
      () => {},
    ),
    async pull(from, waitMs) {
      if (from === A) throw new PullForbiddenError('a subject')
      if (waitMs > 0 || taken.length > 0) return new Promise<undefined>(() => {})
      return { from, giveBack() {} } as unknown as Delivery
    },
    take: ({ from }, slot) => {
      taken.push(from.name)
      slot.release()
    },
    onError: error => assert.fail(String(error)),
    onForbidden: ({ name }, { message }) => void forbidden.push(`${name}: ${message}`),
  })
  await waitFor('the other is taken', () => taken.length === 1)
  assert.deepEqual(forbidden, ['role=a: the agent may not publish to a subject'])
  void puller.close()
})
