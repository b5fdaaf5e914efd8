import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Signal, signal } from '@preact/signals'
import {
  type Agent,
  ClientError,
  type ListedJob,
  type WatchEvent,
  type WatchOptions,
} from '../../../../lib/client/client.ts'
import { createJobFeed } from '../../../../runtime/console/jobs/job-feed.ts'
import type { Session } from '../../../../runtime/console/session.ts'
import { fakePage } from '../fake-page.ts'
import { lifeOf } from './listed-job.ts'

const page = fakePage()

/** A feed of an agent that tells what it is given to tell; what it is asked, and what its listener hears. */
const createFed = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked: WatchOptions[] = []
  const heard: ('reset' | ListedJob[])[] = []
  let refreshed = 0
  let told = Promise.withResolvers<WatchEvent | Error>()
  async function* watch(options: WatchOptions = {}): AsyncGenerator<WatchEvent, void> {
    asked.push(options)
    const { signal } = options
    const aborted = new Promise<Error>(resolve =>
      signal?.addEventListener('abort', () =>
        resolve(new ClientError('aborted', 'the caller has stopped it')),
      ),
    )
    while (true) {
      const one = await Promise.race([told.promise, aborted])
      if (one instanceof Error) throw one
      yield one
    }
  }
  const agent: Signal<Agent> = signal({ running: 3, draining: false, stopping: false } as Agent)
  const refresh = async () => void refreshed++
  const refused = signal<ClientError | undefined>(undefined)
  const live = { watch } as unknown as Session['live']
  const feed = createJobFeed({ live, agent, refresh, refusal: refused })
  feed.subscribe({ onReset: () => heard.push('reset'), onJobs: jobs => heard.push([...jobs]) })
  return {
    feed,
    refused,
    asked,
    heard,
    refreshed: () => refreshed,
    /** The agent tells it, and everybody has heard. */
    async tell(one: WatchEvent | Error): Promise<void> {
      const before = told
      told = Promise.withResolvers()
      before.resolve(one)
      await settled()
    },
    async pass(ms: number): Promise<void> {
      t.mock.timers.tick(ms)
      await settled()
    },
  }
}

/** What the rest of promises does is done. */
const settled = () => new Promise(resolve => setImmediate(resolve))

const RESET: WatchEvent = { type: 'reset', position: 'e-1', running: 5 }
const AGENT: WatchEvent = { type: 'agent', draining: false, stopping: false }
const jobEvent = (seq: number, job: ListedJob, running = 5): WatchEvent => ({
  type: 'job',
  position: `e-${seq}`,
  running,
  job,
})
const refusal = (status: number) => new ClientError('refused', 'no', { status })
const [one, two] = [lifeOf(1), lifeOf(2)]

test('a reset is told to all, counts what runs, and asks the agent about itself anew', async t => {
  const { feed, tell, heard, refreshed } = createFed(t)
  const stop = feed.follow()
  assert.equal(feed.running.value, 3)
  await tell(RESET)
  assert.deepEqual(heard, ['reset'])
  assert.equal(feed.running.value, 5)
  assert.equal(refreshed(), 1)
  stop()
})

test('jobs come shortly after the first, each once and as it is last; many come a few times a second', async t => {
  const { feed, tell, pass, heard } = createFed(t)
  const stop = feed.follow()
  await tell(jobEvent(2, one.created))
  await tell(jobEvent(3, two.created))
  await tell(jobEvent(4, one.started, 7))
  assert.deepEqual(heard, [])
  await pass(1000)
  assert.deepEqual(heard, [[one.started, two.created]])
  assert.equal(feed.running.value, 7)
  stop()
})

test('what has come before a reset is told before it', async t => {
  const { feed, tell, pass, heard } = createFed(t)
  const stop = feed.follow()
  await tell(jobEvent(2, one.created))
  await tell(RESET)
  await pass(1000)
  assert.deepEqual(heard, [[one.created], 'reset'])
  stop()
})

test('the agent is asked about itself when it tells something else than is known', async t => {
  const { feed, tell, refreshed } = createFed(t)
  const stop = feed.follow()
  await tell(AGENT)
  assert.equal(refreshed(), 0)
  await tell({ ...AGENT, draining: true })
  assert.equal(refreshed(), 1)
  await tell({ ...AGENT, stopping: true })
  assert.equal(refreshed(), 2)
  stop()
})

test('a page that was hidden for a while goes on where it was', async t => {
  const { feed, tell, pass, asked } = createFed(t)
  const stop = feed.follow()
  await tell(RESET)
  await tell(jobEvent(9, one.created))
  page.hide(true)
  await pass(60_000)
  page.hide(false)
  assert.deepEqual(
    asked.map(({ after }) => after),
    [undefined, 'e-9'],
  )
  stop()
})

test('a broken connection is told, and that there is one again', async t => {
  const { feed, asked } = createFed(t)
  const stop = feed.follow()
  asked[0]!.onConnection!(false)
  assert.equal(feed.connection.value, 'lost')
  asked[0]!.onConnection!(true)
  assert.equal(feed.connection.value, 'there')
  stop()
})

for (const [status, connection] of [
  [401, 'refused'],
  [403, 'there'],
] as const) {
  test(`a stream that is refused with ${status} is asked for again once the agent takes the key again`, async t => {
    const { feed, tell, pass, asked, refused, refreshed, heard } = createFed(t)
    feed.follow()
    await tell(RESET)
    refused.value = refusal(status)
    asked[0]!.onConnection!(false)
    await tell(refusal(status))
    assert.deepEqual([feed.connection.value, refreshed()], [connection, 2])
    for (let tries = 0; tries < 20; tries++) await pass(5000)
    assert.equal(asked.length, 1)
    refused.value = undefined
    await pass(5000)
    assert.equal(asked.length, 2)
    await tell(RESET)
    assert.deepEqual([feed.connection.value, heard], ['there', ['reset', 'reset']])
  })
}

test('any other answer is tried again without end, as one of a proxy while the agent is away', async t => {
  const { feed, tell, pass, asked, heard } = createFed(t)
  const stop = feed.follow()
  for (const tries of [2, 3, 4]) {
    await tell(refusal(404))
    assert.equal(feed.connection.value, 'lost')
    assert.equal(asked.length, tries - 1)
    await pass(10_000)
    assert.equal(asked.length, tries)
  }
  await tell(RESET)
  assert.equal(feed.connection.value, 'there')
  assert.deepEqual(heard, ['reset'])
  stop()
  await pass(600_000)
  assert.equal(asked.length, 4)
})

test('it has begun with the first reset, or after a moment when nothing comes', async t => {
  const { feed, tell, heard } = createFed(t)
  const begun: string[] = []
  const stop = feed.follow()
  feed.begun.then(() => begun.push(...heard.map(String), 'begun'))
  await settled()
  assert.deepEqual(begun, [])
  await tell(RESET)
  assert.deepEqual(begun, ['reset', 'begun'])
  stop()
  t.mock.timers.reset()

  const silent = createFed(t)
  let hasBegun = false
  silent.feed.begun.then(() => {
    hasBegun = true
  })
  const end = silent.feed.follow()
  await settled()
  assert.equal(hasBegun, false)
  await silent.pass(1000)
  assert.equal(hasBegun, true)
  end()
})
