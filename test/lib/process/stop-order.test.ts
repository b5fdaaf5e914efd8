import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stopAll } from '../../../lib/process/stop.ts'
import type { LivingProcess } from '../../../lib/process/types.ts'
import { fakeProcesses } from '../../support/fake-processes.ts'

const MARK = 7
/** Longer than a test may take. */
const ENDLESS_GRACE_MS = 3_600_000

const living = (pid: number, given: Partial<LivingProcess> = {}): LivingProcess => ({
  pid,
  startTime: pid * 10,
  mark: MARK,
  parent: 99,
  state: 'S',
  command: 'fake',
  cpu: { user: 0, system: 0 },
  residentBytes: 0,
  ...given,
})

/** Stops what the looks find, one after another; after the last of them there is nothing. Tells what was done, in order. */
const stopped = async (looks: LivingProcess[][], graceMs: number): Promise<string[]> => {
  const done: string[] = []
  const left = [...looks]
  const { processes } = fakeProcesses([])
  const recording = {
    ...processes,
    async find() {
      done.push('look')
      return left.shift() ?? []
    },
    async killAtOnce() {
      done.push('kill at once')
    },
    signal({ pid }: LivingProcess, name: NodeJS.Signals) {
      done.push(`${name.slice(3)} ${pid}`)
      return 'sent' as const
    },
  }
  assert.deepEqual(await stopAll(recording, { marks: new Set([MARK]), pid: 1 }, graceMs), [])
  assert.deepEqual(left, [])
  return done
}

test('one look that finds nothing is not believed, neither before the grace period ends nor after', async () => {
  const looks = [[living(1)], [], [living(2)], [], []]
  assert.deepEqual(await stopped(looks, ENDLESS_GRACE_MS), [
    ...['look', 'TERM 1', 'CONT 1', 'look'],
    ...['look', 'TERM 2', 'CONT 2', 'look', 'look'],
  ])
  assert.deepEqual(await stopped(looks, 0), [
    ...['kill at once', 'look', 'STOP 1', 'KILL 1', 'look'],
    ...['look', 'STOP 2', 'KILL 2', 'look', 'look'],
  ])
})

test('where only descent leads to a process, all are stopped until nothing new is found, before any is signaled', async () => {
  const [first, second, third] = [living(1), living(2, { mark: undefined }), living(3, { mark: undefined })]
  const looks = [[first, second], [first, second, third], [first, second, third], [], []]
  const freezing = ['look', 'STOP 1', 'STOP 2', 'look', 'STOP 1', 'STOP 2', 'STOP 3', 'look']
  assert.deepEqual(await stopped(looks, ENDLESS_GRACE_MS), [
    ...freezing,
    ...['TERM 1', 'TERM 2', 'TERM 3', 'CONT 1', 'CONT 2', 'CONT 3', 'look', 'look'],
  ])
  assert.deepEqual(await stopped(looks, 0), [
    'kill at once',
    ...freezing,
    ...['STOP 1', 'STOP 2', 'STOP 3', 'KILL 1', 'KILL 2', 'KILL 3', 'look', 'look'],
  ])
})

test('a child that still was its shell when it was asked is asked again as what it has become', async () => {
  const shell = living(1, { command: 'bash' })
  const child = living(2, { command: 'bash', parent: 1 })
  const become = (command: string) => living(2, { command, parent: 1 })
  const done = await stopped([[shell, child], [become('bash')], [become('sleep')], [], []], ENDLESS_GRACE_MS)
  assert.deepEqual(
    done.filter(one => one.startsWith('TERM')),
    ['TERM 1', 'TERM 2', 'TERM 2'],
  )
})

test('one that becomes another program, or is forked by who was asked and lives, is not asked again', async () => {
  const own = living(1, { command: 'server' })
  const cleaner = living(2, { command: 'sleep', parent: 1 })
  const done = await stopped(
    [[own], [living(1, { command: 'sh' })], [living(1, { command: 'sh' }), cleaner], [], []],
    ENDLESS_GRACE_MS,
  )
  assert.deepEqual(
    done.filter(one => one.startsWith('TERM')),
    ['TERM 1'],
  )
})

test('one that has stopped itself goes on, to come to its end', async () => {
  const done = await stopped([[living(1)], [living(1, { state: 'T' })], [], []], ENDLESS_GRACE_MS)
  assert.deepEqual(done, ['look', 'TERM 1', 'CONT 1', 'look', 'CONT 1', 'look', 'look'])
})
