import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueuedFacts, QueuedJob, QueuedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { byNow, exitCodeOfQueued, queuedEndLine, queuedHow } from '../../../runtime/cli/queued-end.ts'

const AT = '2026-01-31T12:00:00.000Z'
const facts: Omit<QueuedFacts, 'runs'> = {
  ...{ id: 'qabcdefgh', label: 'role=db', priority: 'normal', once: false, tries: 3, limit: null },
  ...{ summary: 'true', fingerprint: '', content: '', createdAt: AT, expiresAt: AT, passes: 0 },
}
const run = (exitCode: number, more = {}): QueuedRun => ({
  host: 'db1',
  job: null,
  startedAt: AT,
  end: {
    state: exitCode === 0 ? 'success' : 'failed',
    reason: 'exited',
    exitCode,
    signal: '',
    error: '',
    at: AT,
    ...more,
  },
})
const ended = (...runs: QueuedRun[]): QueuedJob => ({ ...facts, runs, state: 'ended', by: runs.length })

test('a queued job ends as the run that counts', () => {
  assert.equal(exitCodeOfQueued(ended(run(0))), 0)
  assert.equal(exitCodeOfQueued(ended({ ...run(1), end: null }, run(7))), 7)
  assert.equal(
    exitCodeOfQueued(ended(run(0, { state: 'failed', signal: 'SIGKILL', reason: 'signaled' }))),
    137,
  )
  assert.equal(queuedHow(ended(run(7, { error: 'exit status 7\n' }))), 'failed on db1 (exit status 7\\n)')
  assert.equal(queuedEndLine(ended(run(7))), undefined)
})

const dead = (reason: 'lost' | 'refused' | 'expired', word = ''): QueuedJob => ({
  ...facts,
  runs: [],
  ...{ state: 'dead', reason, word, at: AT },
})

test('one that never came to an end says why, and what to do', () => {
  assert.equal(exitCodeOfQueued(dead('lost')), 125)
  assert.equal(queuedHow(dead('refused', 'forbidden')), 'dead (refused: forbidden)')
  assert.match(
    queuedEndLine(dead('refused', 'forbidden'))!,
    /refused by the agent .*: forbidden; newdt host check shows .*; then submit it again$/,
  )
  assert.match(
    queuedEndLine(dead('refused', 'user-unknown'))!,
    /: user-unknown; newdt queue retry qabcdefgh$/,
  )
  assert.match(
    queuedEndLine(dead('refused', 'signature-wrong'))!,
    /NEWDT_SECRET and NEWDT_KEY.*; then submit/,
  )
  const canceled: QueuedJob = { ...facts, runs: [], state: 'canceled', at: AT }
  assert.deepEqual([exitCodeOfQueued(canceled), queuedHow(canceled)], [1, 'canceled'])
})

test('one that waits after its time is over, a moment later: an agent may just have taken it', () => {
  const waiting: QueuedJob = { ...facts, runs: [], state: 'waiting' }
  assert.equal(byNow(waiting, Date.parse(AT) + 9000), waiting)
  const over = byNow(waiting, Date.parse(AT) + 11_000)
  assert.deepEqual(over, dead('expired'))
  assert.equal(exitCodeOfQueued(over), 125)
  assert.match(queuedEndLine(over)!, /has expired before any host had a free slot; submit it again/)
  const running: QueuedJob = { ...facts, runs: [run(0)], state: 'running', suspectedAt: null }
  assert.equal(byNow(running, Date.parse(AT) + 11_000), running)
})
