import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndReason } from '../../../lib/jobs/job.ts'
import { endedJob, lostJob } from '../../../lib/jobs/outcome.ts'
import type { Exit } from '../../../lib/process/exit-status.ts'
import { runningJob, SOME_TIME } from '../../support/sample-jobs.ts'

const job = runningJob({ pid: 77, startTime: SOME_TIME + 1 })
const exitWith = (exitCode: number, signal = 0): Exit => ({
  status: { exitCode, signal, coreDumped: false },
  cpu: { user: 1, system: 2 },
})

const ROWS: [EndReason, Exit | undefined, state: string, exitCode: number, error: string, signal: string][] =
  [
    ['exited', exitWith(0), 'success', 0, '', ''],
    ['exited', exitWith(3), 'failed', 3, 'exit status 3', ''],
    ['signaled', exitWith(0, 9), 'failed', 0, 'signal: killed', 'SIGKILL'],
    ['timeout', exitWith(0), 'failed', 0, 'timed out after 30s', ''],
    ['timeout', exitWith(0, 15), 'failed', 0, 'signal: terminated', 'SIGTERM'],
    ['output-limit', exitWith(0), 'failed', 0, 'output limit exceeded', ''],
    ['canceled', exitWith(5), 'canceled', 5, 'exit status 5', ''],
    ['canceled', undefined, 'canceled', 0, 'canceled', ''],
    ['agent-stopped', exitWith(0), 'canceled', 0, 'agent stopped', ''],
    ['agent-lost', undefined, 'failed', 0, 'agent was lost', ''],
  ]

for (const [reason, exit, state, exitCode, error, signal] of ROWS) {
  const how = exit ? JSON.stringify(exit.status) : 'no exit'
  test(`${reason} with ${how} is ${state}: ${error || 'no error'}`, () => {
    const ended = endedJob(job, { reason, exit, timeout: '30s', finishTime: SOME_TIME + 2 })
    assert.deepEqual(
      [ended.state, ended.exitCode, ended.error, ended.signal, ended.reason, ended.pid],
      [state, exitCode, error, signal, reason, 77],
    )
    assert.deepEqual(ended.cpu, exit?.cpu ?? { user: 0, system: 0 })
  })
}

test('a job that could not be started says why, and began when it ended', () => {
  const unstarted = runningJob()
  const { state, error, startTime, finishTime } = endedJob(unstarted, {
    reason: 'start-failed',
    startError: 'chdir /x: no such file or directory',
    finishTime: SOME_TIME + 2,
  })
  assert.deepEqual([state, error], ['failed', 'chdir /x: no such file or directory'])
  assert.deepEqual([startTime, finishTime], [SOME_TIME + 2, SOME_TIME + 2])
})

test('a lost job keeps its start, or began when it was created, and ended when that was found out', () => {
  assert.equal(lostJob(job, SOME_TIME + 9).startTime, SOME_TIME + 1)
  const { startTime, finishTime, state, reason } = lostJob(runningJob(), SOME_TIME + 9)
  assert.deepEqual([startTime, finishTime], [SOME_TIME, SOME_TIME + 9])
  assert.deepEqual([state, reason], ['failed', 'agent-lost'])
})
