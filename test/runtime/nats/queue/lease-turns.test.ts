import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Priority } from '../../../../lib/fleet/names.ts'
import type { QueuedMessage } from '../../../../lib/fleet/queue/message.ts'
import type { Delivery } from '../../../../runtime/nats/queue/delivery.ts'
import { createLeaseTurns } from '../../../../runtime/nats/queue/lease-turns.ts'
import { createLiveRun } from '../../../../runtime/nats/queue/live-run.ts'
import { createSlots } from '../../../../runtime/nats/queue/slots.ts'
import { waitFor } from '../../../support/wait-for.ts'

/** Leases in memory, five slots of which some may be used, and runs whose fates are noted. */
const setUp = ({ limit = 1, lookMs = 60_000 } = {}) => {
  let used = 0
  let taken = 0
  let asked = 0
  let isLeaving = false
  const slots = createSlots(
    () => 5 - used,
    () => {},
  )
  const turns = createLeaseTurns({
    leases: {
      async acquire(_label, most) {
        asked++
        if (taken >= most) return undefined
        taken++
        return {
          async release() {
            taken--
          },
        }
      },
    },
    slots,
    isLeaving: () => isLeaving,
    lookMs,
  })
  const fates = new Map<string, string>()
  const get = (id: string, { priority = 'normal' as Priority, most = limit } = {}) => {
    const delivery = {
      from: { name: 'role=db', label: { name: 'role', value: 'db' }, priority, ackWaitMs: 60_000 },
      inProgress() {},
    } as unknown as Delivery
    const run = createLiveRun({
      message: { id, headers: [] as [string, string][] } as QueuedMessage,
      delivery,
      slot: slots.promise(),
      onJob() {},
      onBeat() {},
    })
    fates.set(id, 'waits')
    void turns.get(run, most).then(found => {
      if (found) run.hold(found.lease)
      else run.close()
      fates.set(id, found ? 'runs' : 'given back')
    })
    return run
  }
  return {
    turns,
    slots,
    get,
    fate: (id: string) => fates.get(id),
    fates: () => [...fates.values()],
    asked: () => asked,
    use(count: number): void {
      used = count
    },
    leave(): void {
      isLeaving = true
    },
  }
}

test('a few wait for a lease, without a slot, and all others are given back without asking the engine', async () => {
  const own = setUp()
  own.get('first')
  await waitFor('the first runs', () => own.fate('first') === 'runs')
  for (let number = 0; number < 50; number++) {
    own.get(`n${number}`)
    await new Promise(setImmediate)
  }
  assert.deepEqual(
    [...new Set(own.fates())].map(fate => [fate, own.fates().filter(one => one === fate).length]),
    [
      ['runs', 1],
      ['waits', 4],
      ['given back', 46],
    ],
  )
  // The first and the second, and once for those that wait.
  assert.equal(own.asked(), 3)
  // The first has no job yet.
  assert.equal(own.slots.left(), 4)
  own.turns.close()
  await waitFor('all are given back', () => !own.fates().includes('waits'))
})

test('a lease that is free again is for the one that has waited longest, those of a high priority first', async () => {
  const own = setUp()
  const first = own.get('first')
  await waitFor('the first runs', () => own.fate('first') === 'runs')
  const runs = [
    own.get('a'),
    await new Promise(setImmediate),
    own.get('b'),
    own.get('high', { priority: 'high' }),
  ]
  await new Promise(setImmediate)
  first.close()
  await waitFor('the next one runs', () => own.fate('high') === 'runs')
  assert.deepEqual([own.fate('a'), own.fate('b')], ['waits', 'waits'])
  runs[3]!.close()
  await waitFor('the next one runs', () => own.fate('a') === 'runs')
  assert.equal(own.fate('b'), 'waits')
  own.turns.close()
})

test('who waits for one of a few leases does not hold up who may have one of more', async () => {
  const own = setUp()
  own.get('first')
  await waitFor('the first runs', () => own.fate('first') === 'runs')
  for (let number = 0; number < 6; number++) own.get(`n${number}`)
  own.get('other', { most: 2 })
  await waitFor('the other runs', () => own.fate('other') === 'runs')
  own.turns.close()
})

for (const [name, stop] of [
  ['has no slot any more', (own: ReturnType<typeof setUp>) => own.use(5)],
  ['begins nothing more', (own: ReturnType<typeof setUp>) => own.leave()],
] as const)
  test(`an agent that ${name} gives back what waits`, async () => {
    const own = setUp({ lookMs: 5 })
    own.get('first').becomes('a job')
    await waitFor('the first runs', () => own.fate('first') === 'runs')
    own.get('second')
    await waitFor('the second was asked for several times', () => own.asked() > 4)
    assert.equal(own.fate('second'), 'waits')
    stop(own)
    await waitFor('the second is given back', () => own.fate('second') === 'given back')
  })

test('the more are given back, the later each comes again', () => {
  const { turns } = setUp()
  const pauses = Array.from({ length: 1000 }, () => turns.backMs())
  assert.ok(pauses.every(ms => ms >= 1000 && ms <= 300_000))
  assert.ok(pauses.at(-1)! >= 15_000)
})
