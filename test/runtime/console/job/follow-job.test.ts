import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effect } from '@preact/signals'
import { jobToJson } from '../../../../handlers/jobs/job-json.ts'
import { ClientError, type EventsOptions, type JobEvent } from '../../../../lib/client/client.ts'
import { createFollowedJob } from '../../../../runtime/console/job/follow-job.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { waitFor } from '../../../support/wait-for.ts'

// A page that is seen.
const page = new EventTarget()
Object.assign(globalThis, { document: Object.assign(page, { hidden: false }) })

const running = runningJob()
const start: JobEvent = {
  type: 'start',
  job: jobToJson({ job: running, output: NO_OUTPUT, livingLeftovers: 0 }),
}
const chunk: JobEvent = {
  type: 'stdout',
  seq: 3,
  time: '2026-01-31T12:00:00Z',
  position: 100,
  bytes: new TextEncoder().encode('hello\n'),
}
const output = { stdoutBytes: 200, stderrBytes: 0, keptBytes: 200 }
const end: JobEvent = {
  type: 'end',
  job: jobToJson({ job: endOf(running), output, livingLeftovers: 0 }),
}

const follow = (events: (options: EventsOptions) => AsyncGenerator<JobEvent, void>) => {
  const live = { job: () => ({ events }) }
  return createFollowedJob({ live } as unknown as Parameters<typeof createFollowedJob>[0], running.id)
}

test('a job is as its events tell, and its end is known as one that came meanwhile', async () => {
  const ending = Promise.withResolvers<void>()
  const followed = follow(async function* () {
    yield start
    yield chunk
    await ending.promise
    yield end
  })
  const stop = followed.follow()
  await waitFor('the chunk has come', () => followed.writtenBytes.value === 106)
  followed.setUsage({ ...start.job.usage, memory: 5 })
  assert.equal(followed.job.value?.usage.memory, 5)
  assert.equal(followed.hasEndedMeanwhile.value, false)
  ending.resolve()
  await waitFor('it has ended', () => followed.hasEndedMeanwhile.value)
  assert.deepEqual([followed.writtenBytes.value, followed.output.value?.lines.value], [200, 1])
  // What was asked while it ran, and is answered later, changes nothing.
  followed.setUsage({ ...start.job.usage, memory: 6 })
  assert.equal(followed.job.value?.usage.memory, null)
  stop()
})

test('the end of the output is there no later than that of the job', async () => {
  const followed = follow(async function* () {
    yield start
    yield chunk
    yield end
  })
  const seen: unknown[] = []
  const stopWatching = effect(() => {
    if (followed.job.value) seen.push([followed.job.value.state, followed.output.peek()?.hasEnded.peek()])
  })
  followed.follow()
  await waitFor('it has ended', () => followed.hasEndedMeanwhile.value)
  stopWatching()
  assert.deepEqual(seen, [
    ['running', false],
    [end.job.state, true],
  ])
})

test('a job that had ended before is none that ended meanwhile', async () => {
  const followed = follow(async function* () {
    yield { ...end, type: 'start' } as JobEvent
    yield end
  })
  followed.follow()
  await waitFor('it has come', () => followed.job.value)
  assert.equal(followed.hasEndedMeanwhile.value, false)
})

test('a page that was hidden for a while goes on behind the last chunk', async t => {
  const asked: (number | undefined)[] = []
  const followed = follow(async function* ({ after, signal }) {
    asked.push(after)
    if (after === 0) yield start
    if (after === 0) yield chunk
    await new Promise(resolve => signal?.addEventListener('abort', resolve))
  })
  const stop = followed.follow()
  await waitFor('the chunk has come', () => followed.writtenBytes.value === 106)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  hide(true)
  t.mock.timers.tick(60_000)
  hide(false)
  t.mock.timers.reset()
  await waitFor('it is asked again', () => asked.length === 2)
  assert.deepEqual(asked, [0, 3])
  stop()
})

const hide = (isHidden: boolean): void => {
  Object.assign(page, { hidden: isHidden })
  page.dispatchEvent(new Event('visibilitychange'))
}

test('why nothing comes any more is told', async () => {
  const error = new ClientError('unknown-job', 'there is no such job', { status: 404 })
  const followed = follow(async function* () {
    yield* [] as JobEvent[]
    throw error
  })
  followed.follow()
  await waitFor('the error is told', () => followed.error.value === error)
  assert.equal(followed.job.value, undefined)
})

test('a job whose stream was refused goes on where it was when it is followed again', async () => {
  const asked: (number | undefined)[] = []
  const followed = follow(async function* ({ after }) {
    asked.push(after)
    if (asked.length === 1) {
      yield start
      yield chunk
      throw new ClientError('forbidden', 'this needs the right "read"', { status: 403 })
    }
    yield end
  })
  const stop = followed.follow()
  await waitFor('it is refused', () => followed.error.value?.status === 403)
  stop()
  const stopAgain = followed.follow()
  assert.equal(followed.error.value, undefined)
  await waitFor('it has ended', () => followed.hasEndedMeanwhile.value)
  assert.deepEqual(asked, [0, chunk.seq])
  stopAgain()
})
