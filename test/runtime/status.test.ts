import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStatus, type StatusOptions } from '../../runtime/status.ts'
import { fakeSupport } from '../support/fake-processes.ts'
import { SOME_TIME } from '../support/sample-jobs.ts'

const tell = (given: Partial<StatusOptions> = {}) =>
  createStatus({
    config: { maxRunning: 5, defaultLimits: { memory: 1 }, maxLimits: { memory: 2 }, runAs: ['app'] },
    clock: { now: () => SOME_TIME },
    jobs: { countRunning: () => 2, isClosing: () => false, isDraining: () => true },
    processes: { ...fakeSupport(), guardian: () => ({ state: 'running', restarts: 1 }) },
    audit: { isWritable: () => true },
    guesses: () => ({ wrong: 3, unseen: 1 }),
    store: () => 'ok',
    fleet: () => null,
    ...given,
  })

test('the agent tells of itself what its parts tell', () => {
  const { version, limits, ...told } = tell()()
  assert.match(version, /^\d+\.\d+\.\d+/)
  assert.deepEqual(limits.memory, { by: 'cgroup-v2' })
  assert.deepEqual(told, {
    startTime: '2022-12-16T06:06:14.123456Z',
    running: 2,
    limit: 5,
    stopping: false,
    draining: true,
    guesses: { wrong: 3, unseen: 1 },
    guardian: { state: 'running', restarts: 1 },
    audit: { state: 'ok' },
    store: { state: 'ok' },
    fleet: null,
    users: { possible: true },
    defaultLimits: { memory: 1 },
    maxLimits: { memory: 2 },
    runAs: ['app'],
  })
})

test('what is not as it should be is told as it is now, and its start as it was', () => {
  let state: 'ok' | 'full' | 'gone' = 'ok'
  let isWritable = true
  let time = SOME_TIME
  const status = tell({
    clock: { now: () => time },
    store: () => state,
    audit: { isWritable: () => isWritable },
    processes: {
      ...fakeSupport(),
      guardian: () => ({ state: 'missing', error: 'no awk', restarts: 0 }),
      userSupport: () => 'setpriv',
    },
  })
  const { startTime } = status()
  time += 1_000_000
  isWritable = false
  for (const now of ['full', 'gone', 'ok'] as const) {
    state = now
    assert.deepEqual(status().store, { state: now })
  }
  const told = status()
  assert.deepEqual([told.audit.state, told.guardian.state], ['failing', 'missing'])
  assert.deepEqual(told.users, { missing: 'setpriv' })
  assert.equal(told.startTime, startTime)
})
