import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  canceledInQueue,
  claimed,
  died,
  givenBack,
  MOST_PASSES,
  passed,
  runEnded,
  startedAs,
  suspected,
} from '../../../../lib/fleet/queue/changes.ts'
import { parseQueuedJob } from '../../../../lib/fleet/queue/parse-queued-job.ts'
import { endedRun, isFinal, type QueuedJob } from '../../../../lib/fleet/queue/queued-job.ts'
import { AT, endOf, waitingJob } from './sample.ts'

const JOB_ID = '0'.repeat(32)

test('a job that waits is run, and its end is the end of that run', () => {
  const running = claimed(waitingJob(), 'db1', AT)!
  const started = startedAs(running, 1, JOB_ID)!
  const ended = runEnded(started, 1, endOf())!
  assert.equal(running.state, 'running')
  assert.deepEqual(ended.state === 'ended' && ended.by, 1)
  assert.deepEqual(endedRun(ended), { host: 'db1', job: JOB_ID, startedAt: AT, end: endOf() })
})

test('a run whose agent is lost or stopped has no end: the job waits for another', () => {
  for (const reason of ['agent-lost', 'agent-stopped']) {
    const lost = runEnded(claimed(waitingJob(), 'db1', AT)!, 1, endOf(reason))!
    assert.equal(lost.state, 'waiting')
    assert.equal(lost.runs[0]?.end?.reason, reason)
  }
})

test('the third loss is the last, and the first where it is to run once', () => {
  let job = waitingJob()
  for (const host of ['db1', 'db2', 'db3']) {
    assert.equal(job.state, 'waiting')
    job = claimed(job, host, AT)!
    job = runEnded(job, job.runs.length, endOf('agent-lost'))!
  }
  assert.equal(job.state === 'dead' && job.reason, 'too-many-tries')
  const once = runEnded(claimed(waitingJob({ once: true }), 'db1', AT)!, 1, endOf('agent-stopped'))!
  assert.equal(once.state === 'dead' && once.reason, 'lost')
})

test('of two runs the first end counts, and the other is noted', () => {
  const both = claimed(claimed(waitingJob(), 'db1', AT)!, 'db2', AT)!
  const first = runEnded(both, 1, endOf('timeout'))!
  const second = runEnded(first, 2, endOf())!
  assert.equal(endedRun(second)?.end.reason, 'timeout')
  assert.equal(second.runs[1]?.end?.reason, 'exited')
  assert.equal(runEnded(second, 2, endOf('timeout')), undefined)
})

test('the loss of a run that was given up already does not touch the one that runs', () => {
  const both = claimed(claimed(waitingJob(), 'db1', AT)!, 'db2', AT)!
  const lost = runEnded(both, 1, endOf('agent-lost'))!
  assert.equal(lost.state, 'running')
  assert.equal(runEnded(lost, 2, endOf())!.state, 'ended')
})

test('a run that was none leaves no trace', () => {
  assert.deepEqual(givenBack(claimed(waitingJob(), 'db1', AT)!, 1), waitingJob())
  assert.equal(givenBack(claimed(claimed(waitingJob(), 'db1', AT)!, 'db2', AT)!, 1), undefined)
})

test('only what waits is canceled here', () => {
  assert.equal(canceledInQueue(waitingJob(), AT)?.state, 'canceled')
  assert.equal(canceledInQueue(claimed(waitingJob(), 'db1', AT)!, AT), undefined)
})

test('what only agents are there for that have run it is dead in the end', () => {
  let job = waitingJob()
  for (let passes = 1; passes < MOST_PASSES; passes++) job = passed(job, AT)!
  assert.equal(job.state, 'waiting')
  job = passed(job, AT)!
  assert.equal(job.state === 'dead' && job.reason, 'too-many-tries')
})

const numbers = fc.integer({ min: 1, max: 4 })
const change = fc.oneof(
  fc.constantFrom('db1', 'db2').map(host => (job: QueuedJob) => claimed(job, host, AT)),
  numbers.map(number => (job: QueuedJob) => startedAs(job, number, JOB_ID)),
  numbers.map(number => (job: QueuedJob) => givenBack(job, number)),
  fc.tuple(numbers, fc.constantFrom('exited', 'timeout', 'agent-lost', 'agent-stopped')).map(
    ([number, reason]) =>
      (job: QueuedJob) =>
        runEnded(job, number, endOf(reason)),
  ),
  fc.constant((job: QueuedJob) => suspected(job, AT)),
  fc.constant((job: QueuedJob) => passed(job, AT)),
  fc.constant((job: QueuedJob) => canceledInQueue(job, AT)),
  fc
    .constantFrom('expired' as const, 'refused' as const)
    .map(reason => (job: QueuedJob) => died(job, reason, AT)),
)

test('whatever happens in whatever order, a final state stays, and each record is one', () => {
  const options = fc.record({ once: fc.boolean(), tries: fc.integer({ min: 1, max: 3 }) })
  fc.assert(
    fc.property(options, fc.array(change, { maxLength: 25 }), (parameters, changes) => {
      let job = waitingJob(parameters)
      for (const make of changes) {
        const next = make(job)
        if (!next) continue
        if (isFinal(job)) {
          assert.equal(next.state, job.state)
          assert.deepEqual(endedRun(next), endedRun(job))
        }
        // Agents ask afterLoss before they claim; `claimed` alone sets no bound.
        if (next.runs.length > 20) return
        assert.deepEqual(parseQueuedJob(JSON.stringify(next)), next)
        job = next
      }
    }),
  )
})
