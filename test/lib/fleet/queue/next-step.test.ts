import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canceledInQueue, claimed, died, runEnded } from '../../../../lib/fleet/queue/changes.ts'
import { type NextStep, nextStep, type Situation } from '../../../../lib/fleet/queue/next-step.ts'
import type { QueuedJob } from '../../../../lib/fleet/queue/queued-job.ts'
import { AT, endOf, waitingJob } from './sample.ts'

const NOW = Date.parse(AT)
const REVISION = 7
const step = (job: QueuedJob, changes: Partial<Situation> = {}): NextStep =>
  nextStep(job, { host: 'db2', fingerprint: 'f'.repeat(32), nowMs: NOW, revision: REVISION, ...changes })
const jobOf = (one: NextStep): QueuedJob => {
  assert.ok('job' in one)
  return one.job
}
const running = (changes: Partial<QueuedJob> = {}) => claimed(waitingJob(changes), 'db1', AT)!

test('what waits is run', () => {
  const next = step(waitingJob())
  assert.equal(next.act, 'run')
  assert.deepEqual(jobOf(next), claimed(waitingJob(), 'db2', AT))
})

test('the message of a job that is final is acknowledged', () => {
  const ended = runEnded(running(), 1, endOf())!
  for (const job of [ended, canceledInQueue(waitingJob(), AT)!, died(waitingJob(), 'expired', AT)!])
    assert.equal(step(job).act, 'acknowledge')
})

test('another message with the same id does nothing to the job', () => {
  assert.equal(step(waitingJob(), { fingerprint: '0'.repeat(32) }).act, 'put-aside')
  assert.equal(step(runEnded(running(), 1, endOf())!, { fingerprint: '0'.repeat(32) }).act, 'put-aside')
})

test('who gets a job that runs doubts that first, whatever others have doubted before', () => {
  const doubted = step(running())
  assert.equal(doubted.act, 'doubt')
  assert.equal((jobOf(doubted) as { suspectedAt?: string }).suspectedAt, AT)
  for (const nowMs of [NOW, NOW + 15_000, NOW + 3600_000, NOW - 3600_000])
    assert.equal(step(jobOf(doubted), { nowMs }).act, 'doubt')
})

test('a job whose record is the same after a doubt waits for another run, whatever the clocks say', () => {
  const job = jobOf(step(running()))
  for (const nowMs of [NOW, NOW + 3600_000, NOW - 3600_000]) {
    const released = step(job, { doubted: REVISION, nowMs })
    assert.equal(released.act, 'release')
    const taken = step(jobOf(released), { doubted: REVISION, nowMs })
    assert.equal(taken.act, 'run')
    assert.deepEqual(
      jobOf(taken).runs.map(({ host }) => host),
      ['db1', 'db2'],
    )
  }
})

test('nothing is said of the message of a job whose record was changed after the doubt', () => {
  assert.equal(step(running(), { doubted: REVISION - 1 }).act, 'leave')
  assert.equal(step(jobOf(step(running())), { doubted: REVISION - 1 }).act, 'leave')
  const ended = runEnded(running(), 1, endOf())!
  assert.equal(step(ended, { doubted: REVISION - 1 }).act, 'acknowledge')
})

test('a run of another agent that had the same name is doubted like any other', () => {
  assert.equal(step(running(), { host: 'db1' }).act, 'doubt')
})

test('what must not run again is buried', () => {
  const afterwards = { doubted: REVISION }
  const lost = step(jobOf(step(running({ once: true }))), afterwards)
  assert.equal(lost.act, 'bury')
  assert.deepEqual(
    { ...jobOf(lost), at: '', runs: [] },
    { ...died(waitingJob({ once: true }), 'lost', AT), at: '' },
  )
  const often = jobOf(step(jobOf(step(running({ tries: 1 }))), afterwards))
  assert.equal(often.state === 'dead' && often.reason, 'too-many-tries')
})

test('what has expired is not run, however often it was', () => {
  const late = { nowMs: NOW + 24 * 3600_000 + 1 }
  const expired = step(waitingJob(), late)
  assert.equal(expired.act, 'bury')
  assert.equal((jobOf(expired) as { reason?: string }).reason, 'expired')
  assert.equal(step(waitingJob(), { nowMs: NOW + 24 * 3600_000 }).act, 'run')
})
