import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createJobEvents } from '../../../lib/jobs/events.ts'
import type { RejectedJob } from '../../../lib/jobs/job.ts'
import { createMetrics } from '../../../lib/metrics/metrics.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

const STATE = {
  running: 2,
  limit: 5,
  isDraining: false,
  isStoreWritable: true,
  isAuditWritable: true,
  isGuardianMissing: false,
  guardianRestarts: 3,
}

/** The values by name and labels. */
const valuesOf = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )

const create = () => {
  const events = createJobEvents(error => assert.fail(String(error)))
  const state = { ...STATE }
  const metrics = createMetrics({
    version: '1.2.3',
    events,
    state: () => state,
    storeBytes: async () => 4096,
    waiting: () => [{ sink: 'callback', pending: 7 }],
  })
  return { events, metrics, state, values: async () => valuesOf(await metrics.text()) }
}

test('jobs are counted by state and reason, with how long they took and what they wrote', async () => {
  const { events, values } = create()
  const job = runningJob({ startTime: runningJob().createTime + 20_000 })
  events.emit({ kind: 'created', job })
  events.emit({ kind: 'started', job })
  const ended = endOf(job, { startTime: job.startTime!, finishTime: job.startTime! + 5_000_000 })
  events.emit({ kind: 'ended', job: ended, totals: { stdoutBytes: 10, stderrBytes: 5, keptBytes: 12 } })
  const lost = endOf(runningJob(), { state: 'failed', reason: 'agent-lost' })
  events.emit({ kind: 'ended', job: lost, totals: NO_OUTPUT })
  const unstarted = endOf(runningJob(), { state: 'failed', reason: 'start-failed', pid: 0 })
  events.emit({ kind: 'ended', job: unstarted, totals: NO_OUTPUT })
  const { pid, startTime, ...facts } = runningJob()
  const rejected: RejectedJob = { ...facts, state: 'rejected', error: '' }
  events.emit({ kind: 'rejected', job: rejected, running: 5 })
  const now = await values()
  assert.equal(now.get('newdt_jobs_total{state="success",reason="exited"}'), 1)
  assert.equal(now.get('newdt_jobs_total{state="failed",reason="agent-lost"}'), 1)
  assert.equal(now.get('newdt_jobs_total{state="failed",reason="start-failed"}'), 1)
  assert.equal(now.get('newdt_jobs_total{state="rejected",reason="rejected"}'), 1)
  assert.deepEqual(
    [now.get('newdt_job_duration_seconds_count'), now.get('newdt_job_duration_seconds_sum')],
    [1, 5],
  )
  assert.deepEqual(
    [
      now.get('newdt_job_start_seconds_bucket{le="0.025"}'),
      now.get('newdt_job_start_seconds_bucket{le="0.01"}'),
    ],
    [1, 0],
  )
  assert.deepEqual(
    [now.get('newdt_output_bytes_total{fate="kept"}'), now.get('newdt_output_bytes_total{fate="dropped"}')],
    [12, 3],
  )
})

test('what is true now is asked for at each look', async () => {
  const { state, values } = create()
  const shown = async () => {
    const now = await values()
    const names = [
      'jobs_running',
      'jobs_limit',
      'draining',
      'store_writable',
      'audit_writable',
      'guardian_missing',
    ]
    return [...names, 'guardian_restarts_total', 'store_bytes'].map(name => now.get(`newdt_${name}`))
  }
  assert.deepEqual(await shown(), [2, 5, 0, 1, 1, 0, 3, 4096])
  Object.assign(state, { running: 0, isDraining: true, isStoreWritable: false, isAuditWritable: false })
  Object.assign(state, { isGuardianMissing: true, guardianRestarts: 4 })
  assert.deepEqual(await shown(), [0, 5, 1, 0, 0, 1, 4, 4096])
  assert.equal((await values()).get('newdt_build_info{version="1.2.3"}'), 1)
})

test('requests and failed authentications are counted, and the process itself is watched from the first look on', async () => {
  const { metrics, values } = create()
  for (const status of [200, 200, 404]) metrics.request('GET', '/api/jobs/:id', status)
  metrics.authenticationFailed('token-wrong')
  const now = await values()
  assert.equal(now.get('newdt_http_requests_total{method="GET",route="/api/jobs/:id",status="200"}'), 2)
  assert.equal(now.get('newdt_http_requests_total{method="GET",route="/api/jobs/:id",status="404"}'), 1)
  assert.equal(now.get('newdt_authentication_failures_total{reason="token-wrong"}'), 1)
  assert.ok(now.has('nodejs_eventloop_lag_p99_seconds') && now.has('process_cpu_seconds_total'))
})

test('what is delivered to others is counted by sink', async () => {
  const { metrics, values } = create()
  assert.equal((await values()).get('newdt_outbox_given_up_total{sink="callback"}'), 0)
  for (const what of ['failed', 'failed', 'delivered', 'failed', 'given-up'] as const)
    metrics.delivery('callback', what)
  const now = await values()
  const of = (name: string) => now.get(`newdt_outbox_${name}{sink="callback"}`)
  assert.deepEqual(
    ['pending', 'delivered_total', 'failed_tries_total', 'given_up_total'].map(of),
    [7, 1, 3, 1],
  )
})
