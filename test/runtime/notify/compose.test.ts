import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobInList } from '../../../handlers/jobs/job-in-list.ts'
import type { JobEvent } from '../../../lib/jobs/events.ts'
import type { Notify } from '../../../lib/jobs/job.ts'
import { type ComposeOptions, createCompose } from '../../../runtime/notify/compose.ts'
import { endOf, runningJob } from '../../support/sample-jobs.ts'

const URL_OF_JOB = 'https://ci.example.com/done?token=x'
const URL_OF_ALL = 'http://ops.example.com:8080/'
const TOTALS = { stdoutBytes: 3, stderrBytes: 2, keptBytes: 5 }

const eventsOf = (notify: Notify | null): Record<JobEvent['kind'], JobEvent> => {
  const job = runningJob({ id: 'a', notify, startTime: runningJob().createTime + 1_000_000 })
  return {
    created: { kind: 'created', job },
    started: { kind: 'started', job },
    ended: { kind: 'ended', job: endOf(job), totals: TOTALS },
    rejected: { kind: 'rejected', job: { ...job, state: 'rejected', error: 'full' }, running: 5 },
  }
}

const composeWith = (options: Partial<ComposeOptions>) =>
  createCompose({ host: 'db1', hasCallbacks: true, everyJob: undefined, hasFleet: false, ...options })

test('who is told is whom the job names, whom the agent names, and a fleet of everything', () => {
  const told = (event: JobEvent, options: Partial<ComposeOptions>) =>
    composeWith(options)(event).map(({ id, sink, target, origin }) => [id, sink, target, origin])
  const toJob = ['a.ended', 'callback', URL_OF_JOB, 'https://ci.example.com']
  const toAll = ['a.ended', 'callback', URL_OF_ALL, 'http://ops.example.com:8080']
  const everyJob = { url: URL_OF_ALL, on: ['ended', 'rejected'] as const }
  const events = eventsOf({ url: URL_OF_JOB, on: ['success'] })
  assert.deepEqual(told(events.ended, {}), [toJob])
  assert.deepEqual(told(events.ended, { everyJob }), [toAll, toJob])
  assert.deepEqual(told(events.started, { everyJob }), [])
  assert.deepEqual(
    told(events.rejected, { everyJob }).map(([id]) => id),
    ['a.rejected'],
  )
  // One URL is called once.
  assert.deepEqual(told(events.ended, { everyJob: { url: URL_OF_JOB, on: ['ended'] } }), [toJob])
  assert.deepEqual(told(events.ended, { hasCallbacks: false, everyJob }), [])
  assert.deepEqual(told(eventsOf(null).ended, {}), [])
  for (const [kind, event] of Object.entries(events))
    assert.deepEqual(told(event, { hasCallbacks: false, hasFleet: true }), [[`a.${kind}`, 'fleet', '', '']])
})

test('what is told is the event, when and where it was, and the job as a list has it', () => {
  const events = eventsOf({ url: URL_OF_JOB, on: ['ended'] })
  const messages = Object.values(events).map(event => {
    const [entry] = composeWith({ hasCallbacks: false, hasFleet: true })(event)
    return JSON.parse(entry!.payload)
  })
  assert.deepEqual(
    messages.map(({ type, timestamp, host }) => [type, timestamp, host]),
    [
      ['job.created', '2022-12-16T06:06:14.123456Z', 'db1'],
      ['job.started', '2022-12-16T06:06:15.123456Z', 'db1'],
      ['job.ended', '2022-12-16T06:06:15.123466Z', 'db1'],
      ['job.rejected', '2022-12-16T06:06:14.123456Z', 'db1'],
    ],
  )
  const { ended } = events
  const inList = jobInList({ job: ended.job, output: TOTALS, livingLeftovers: 0 })
  const notify = { url: 'https://ci.example.com/', on: ['ended'] }
  assert.deepEqual(messages[2].data, { ...inList, notify })
  assert.equal(messages[2].data.stdoutBytes, 3)
})

test('the path of a URL is told to who is called there alone', () => {
  const { ended } = eventsOf({ url: URL_OF_JOB, on: ['ended'] })
  const everyJob = { url: URL_OF_ALL, on: ['ended'] as const }
  const entries = composeWith({ everyJob, hasFleet: true })(ended)
  assert.deepEqual(
    entries.map(({ target, payload }) => [target, JSON.parse(payload).data.notify.url]),
    [
      [URL_OF_ALL, 'https://ci.example.com/'],
      [URL_OF_JOB, 'https://ci.example.com/done'],
      ['', 'https://ci.example.com/'],
    ],
  )
})

test('the largest message of an ordinary job is small, whatever its command', () => {
  const [entry] = composeWith({ hasFleet: true })({
    kind: 'created',
    job: runningJob({ cmd: '\u0001'.repeat(1e6), params: '汉'.repeat(1e6) }),
  })
  assert.ok(entry!.payload.length < 30_000, `${entry!.payload.length}`)
})
