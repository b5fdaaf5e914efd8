import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createHousekeeping, type HousekeepingOptions } from '../../../lib/store/housekeeping.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { waitFor } from '../../support/wait-for.ts'

/** A store with so many jobs to remove, at most three a turn; and what was done to it. */
const housekeepingOf = (
  surplus: number,
  fail: () => void = () => {},
  given: Partial<HousekeepingOptions> = {},
) => {
  const calls: string[] = []
  const { log, lines } = recordingLog()
  const retention = {
    isPruningDue: () => surplus > 1,
    prune(_nowMs: number, most = 3): number {
      fail()
      const removed = Math.min(surplus, most)
      surplus -= removed
      calls.push(`prune ${removed}`)
      return removed
    },
    giveBack(isRoomShort: boolean) {
      calls.push(isRoomShort ? 'give a little back' : 'give back')
      return free-- > 0
    },
  }
  let free = 1
  const housekeeping = createHousekeeping({
    retention,
    async checkpoint() {
      calls.push('checkpoint')
      return true
    },
    hasRoom: () => true,
    reserve: { giveUp: () => false },
    log,
    ...given,
  })
  return { housekeeping, calls, lines, surplus: () => surplus }
}

test('everything surplus is removed, a few jobs a turn; then room is given back and the log is moved', async t => {
  const { housekeeping, calls } = housekeepingOf(7)
  t.after(() => housekeeping.close())
  housekeeping.start()
  await waitFor('it is done', () => calls.filter(call => call === 'give back').length === 2)
  assert.deepEqual(calls, [
    'prune 3',
    'prune 3',
    'prune 1',
    'prune 0',
    'give back',
    'checkpoint',
    'give back',
  ])
})

test('it keeps house every minute', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { housekeeping, calls } = housekeepingOf(0)
  t.after(() => housekeeping.close())
  housekeeping.start()
  const rounds = () => calls.filter(call => call === 'prune 0').length
  await waitFor('the first round', () => rounds() === 1)
  t.mock.timers.tick(60_000)
  await waitFor('the second round', () => rounds() === 2)
})

test('a submission has room made in the turns after its own', async t => {
  const { housekeeping, calls, surplus } = housekeepingOf(9)
  t.after(() => housekeeping.close())
  housekeeping.makeRoom()
  housekeeping.makeRoom()
  assert.deepEqual(calls, [])
  await waitFor('all is removed', () => surplus() === 0)
})

test('a submission in the same turn takes nothing from what is due every minute', async t => {
  const { housekeeping, calls } = housekeepingOf(9)
  t.after(() => housekeeping.close())
  housekeeping.makeRoom()
  housekeeping.start()
  await waitFor('it is done', () => calls.includes('checkpoint'))
  assert.ok(calls.indexOf('checkpoint') > calls.indexOf('prune 0'))
})

test('a submission has nothing removed that is not worth it yet', async t => {
  const { housekeeping, calls } = housekeepingOf(1)
  t.after(() => housekeeping.close())
  housekeeping.makeRoom()
  await setImmediate()
  await setImmediate()
  assert.deepEqual(calls, [])
})

test('where room is short a little is given back at a time, as long as it arrives', async t => {
  let arrived = 0
  const { housekeeping, calls } = housekeepingOf(0, () => {}, {
    hasRoom: () => false,
    checkpoint: async () => ++arrived < 3,
  })
  t.after(() => housekeeping.close())
  housekeeping.start()
  await waitFor('it is done', () => calls.filter(call => call === 'give a little back').length === 2)
  assert.equal(arrived, 2) // Once for what was pruned.
  assert.deepEqual(calls.slice(0, 2), ['prune 0', 'give a little back'])
})

test('what finds no room for its own work is tried once more with the reserve', async t => {
  let isFull = true
  const { housekeeping, calls, lines } = housekeepingOf(
    5,
    () => {
      if (isFull) throw new Error('database or disk is full')
    },
    {
      reserve: {
        giveUp() {
          isFull = false
          return true
        },
      },
    },
  )
  t.after(() => housekeeping.close())
  housekeeping.start()
  await waitFor('it is done', () => calls.includes('prune 0'))
  assert.deepEqual([calls.slice(0, 3), lines], [['prune 3', 'prune 2', 'prune 0'], []])
})

test('a store that fails is told in the log and keeps no job from being submitted', async t => {
  let isFailing = true
  const { housekeeping, lines, surplus } = housekeepingOf(5, () => {
    if (isFailing) throw new Error('disk I/O error')
  })
  t.after(() => housekeeping.close())
  housekeeping.makeRoom()
  await waitFor('it is told', () => lines.length === 1)
  housekeeping.start()
  await waitFor('both are told', () => lines.length === 2)
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    Array(2).fill(['error', 'housekeeping failed']),
  )
  isFailing = false
  housekeeping.makeRoom()
  await waitFor('all is removed', () => surplus() === 0)
})

test('once it is closed nothing is removed any more', async () => {
  const { housekeeping, calls } = housekeepingOf(9)
  housekeeping.start()
  housekeeping.close()
  await setImmediate()
  await setImmediate()
  assert.deepEqual(calls, [])
})
