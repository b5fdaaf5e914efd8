import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AgentClient,
  ClientError,
  type JobQuery,
  type ListedJob,
} from '../../../../lib/client/client.ts'
import { type JobFilter, NO_FILTER } from '../../../../runtime/console/jobs/filter.ts'
import type { JobFeedListener } from '../../../../runtime/console/jobs/job-feed.ts'
import { createJobList } from '../../../../runtime/console/jobs/job-list.ts'
import { matchOf } from '../../../../runtime/console/jobs/match.ts'
import { allJobs, countEnded } from '../../../../runtime/console/jobs/sections.ts'
import { waitFor } from '../../../support/wait-for.ts'
import { idOf, lifeOf } from './listed-job.ts'

const NOW = 1_000_000

/** An agent with these jobs, of which some may run; `whole` is the text of commands that lists cut. */
const createFakeAgent = (jobs: ListedJob[], whole: (job: ListedJob) => string = ({ cmd }) => cmd) => {
  const queries: JobQuery[] = []
  const state = {
    error: undefined as ClientError | undefined,
    /** An answer comes after that. */
    hold: undefined as Promise<void> | undefined,
    /** Changes are told from then on. */
    begun: Promise.resolve(),
    now: NOW,
  }
  let listener: JobFeedListener | undefined
  const list: AgentClient['list'] = async (query = {}) => {
    queries.push(query)
    const { limit = 50, before = 'g', ...rest } = query
    const filter = { ...NO_FILTER, ...rest } as JobFilter
    const { hold } = state
    const found = jobs
      .filter(job => matchOf(filter, { ...job, cmd: whole(job), cmdTruncated: false }, state.now) === 'yes')
      .filter(({ id }) => id < String(before))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, Number(limit))
    await hold
    return state.error ? { ok: false, error: state.error } : { ok: true, value: found }
  }
  return {
    jobs,
    queries,
    state,
    /** The job is as it is told, and whoever follows is told so. */
    change(...changed: ListedJob[]): void {
      for (const job of changed) {
        const at = jobs.findIndex(({ id }) => id === job.id)
        jobs.splice(at < 0 ? jobs.length : at, at < 0 ? 0 : 1, job)
      }
      listener?.onJobs(changed)
    },
    reset: () => listener?.onReset(),
    async follow(filter: Partial<JobFilter> = {}, mayForget = () => false) {
      const list_ = this.begin(filter, mayForget)
      await waitFor('the list is read', () => list_.isRead.value)
      return list_
    },
    begin(filter: Partial<JobFilter> = {}, mayForget = () => false) {
      const list_ = createJobList({
        client: { list },
        feed: {
          begun: state.begun,
          subscribe(one) {
            listener = one
            return () => {
              listener = undefined
            }
          },
        },
        filter: { ...NO_FILTER, ...filter },
        now: () => state.now,
        mayForget,
      })
      list_.follow()
      return list_
    },
    isFollowed: () => listener !== undefined,
  }
}

const LIVES = Array.from({ length: 3000 }, (_, number) => lifeOf(number))
const ended = (from: number, to: number): ListedJob[] => LIVES.slice(from, to).map(life => life.ended)
const idsOf = (list: Awaited<ReturnType<ReturnType<typeof createFakeAgent>['follow']>>): number[] =>
  allJobs(list.sections.value).map(({ id }) => Number.parseInt(id, 16))
const down = (from: number, to: number): number[] =>
  Array.from({ length: from - to }, (_, at) => from - 1 - at)

test('all that run are there, also those that are older than the first page', async () => {
  const agent = createFakeAgent([LIVES[0]!.started, LIVES[1]!.started, ...ended(2, 100)])
  const list = await agent.follow()
  assert.deepEqual(idsOf(list), [1, 0, ...down(100, 50)])
  assert.ok(list.hasOlder.value)
})

test('older ones come page by page, until there are no more', async () => {
  const list = await createFakeAgent(ended(0, 180)).follow()
  await list.readOlder()
  assert.deepEqual(idsOf(list), down(180, 30))
  assert.ok(list.hasOlder.value)
  await list.readOlder()
  assert.deepEqual(idsOf(list), down(180, 0))
  assert.ok(!list.hasOlder.value)
})

test('a job appears when it is created, and goes where it belongs when it has ended', async () => {
  const agent = createFakeAgent(ended(0, 3))
  const list = await agent.follow()
  agent.change(LIVES[5]!.created)
  agent.change(LIVES[7]!.created, LIVES[5]!.started)
  assert.deepEqual(idsOf(list), [7, 5, 2, 1, 0])
  agent.change(LIVES[5]!.ended)
  assert.deepEqual(idsOf(list), [7, 5, 2, 1, 0])
  assert.equal(list.sections.value.running.length, 1)
})

test('a job that does not match any more goes', async () => {
  const agent = createFakeAgent([LIVES[1]!.started, ...ended(2, 4)])
  const list = await agent.follow({ state: 'running' })
  assert.deepEqual(idsOf(list), [1])
  agent.change(LIVES[1]!.ended)
  assert.deepEqual(idsOf(list), [])
})

test('what changes while the list is read is not lost, and not undone by an older answer', async () => {
  const agent = createFakeAgent([LIVES[1]!.started])
  const list = await agent.follow()
  const held = Promise.withResolvers<void>()
  agent.state.hold = held.promise
  agent.reset()
  agent.change(LIVES[1]!.ended, LIVES[2]!.created)
  held.resolve()
  await waitFor('it is read', () => agent.queries.length === 2)
  await waitFor('both are as they are', () => list.sections.value.chunks[0]?.jobs.length === 1)
  assert.deepEqual(idsOf(list), [2, 1])
})

test('a reset reads as many as there are, keeps what has not changed and drops what is gone', async () => {
  const agent = createFakeAgent(ended(0, 180))
  const list = await agent.follow()
  await list.readOlder()
  const before = list.sections.value
  const seen: number[] = []
  const unsubscribe = list.sections.subscribe(() => seen.push(idsOf(list).length))
  agent.jobs.splice(100, 1)
  agent.jobs.push(LIVES[180]!.ended)
  agent.reset()
  await waitFor('the new one is there', () => idsOf(list)[0] === 180)
  unsubscribe()
  assert.deepEqual(idsOf(list), [180, ...down(180, 101), ...down(100, 30)])
  assert.ok(seen.every(count => count >= 150)) // Nothing flickers.
  const kept = new Set(allJobs(before))
  assert.equal(allJobs(list.sections.value).filter(job => kept.has(job)).length, 149)
})

test('a reset while the list is read has it read once more', async () => {
  const agent = createFakeAgent(ended(0, 3))
  const list = await agent.follow()
  const held = Promise.withResolvers<void>()
  agent.state.hold = held.promise
  agent.reset()
  await waitFor('it is asked', () => agent.queries.length === 2)
  agent.jobs.push(LIVES[9]!.ended)
  agent.reset()
  held.resolve()
  await waitFor('the new one is there', () => idsOf(list)[0] === 9)
  assert.equal(agent.queries.length, 3)
})

test('older ones that are asked for while the list is read come when it is', async () => {
  const agent = createFakeAgent(ended(0, 180))
  const list = await agent.follow()
  const held = Promise.withResolvers<void>()
  agent.state.hold = held.promise
  agent.reset()
  const older = list.readOlder()
  held.resolve()
  await older
  assert.deepEqual(idsOf(list), down(180, 30))
})

test('old ones that go while older ones are read come again with these', async () => {
  const agent = createFakeAgent(ended(0, 180))
  const list = await agent.follow({}, () => true)
  const held = Promise.withResolvers<void>()
  agent.state.hold = held.promise
  const older = list.readOlder()
  await waitFor('they are asked for', () => agent.queries.length === 2)
  agent.change(...ended(180, 2500))
  assert.ok(countEnded(list.sections.value) < 2000)
  held.resolve()
  await older
  while (list.hasOlder.value) await list.readOlder()
  assert.deepEqual(idsOf(list), down(2500, 0))
})

test('it is known whether older ones are being read, also after that has failed', async () => {
  const agent = createFakeAgent(ended(0, 180))
  const list = await agent.follow()
  const seen: boolean[] = []
  list.isReadingOlder.subscribe(isReading => void seen.push(isReading))
  agent.state.error = new ClientError('unreachable', 'nobody answers')
  await list.readOlder()
  assert.ok(list.fault.value)
  assert.deepEqual(idsOf(list), down(180, 130))
  agent.state.error = undefined
  await list.readOlder()
  assert.equal(list.fault.value, undefined)
  assert.deepEqual(idsOf(list), down(180, 30))
  assert.deepEqual(seen, [false, true, false, true, false])
})

test('older ones that are asked for before the list is read anew go on where it ends then', async () => {
  const agent = createFakeAgent(ended(0, 180))
  const list = await agent.follow()
  const held = Promise.withResolvers<void>()
  agent.state.hold = held.promise
  const older = list.readOlder()
  await waitFor('they are asked for', () => agent.queries.length === 2)
  agent.jobs.push(...ended(180, 230))
  agent.reset()
  held.resolve()
  await older
  await waitFor('the new ones are there', () => idsOf(list)[0] === 229)
  while (list.hasOlder.value) await list.readOlder()
  assert.deepEqual(idsOf(list), down(230, 0))
})

test('the list is read once when changes are told soon, and not before', async () => {
  const agent = createFakeAgent(ended(0, 3))
  const begun = Promise.withResolvers<void>()
  agent.state.begun = begun.promise
  const list = agent.begin()
  await new Promise(resolve => setImmediate(resolve))
  agent.reset()
  agent.change(LIVES[3]!.created)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(agent.queries.length, 0)
  begun.resolve()
  await waitFor('the list is read', () => list.isRead.value)
  await list.readOlder() // Its turn is after all other readings.
  assert.equal(agent.queries.length, 1)
  assert.deepEqual(idsOf(list), [3, 2, 1, 0])
})

test('nothing matches a filter that the agent refuses, until it takes it', async () => {
  const agent = createFakeAgent(ended(0, 3))
  const message = 'state must be one of running, success'
  agent.state.error = new ClientError('invalid-request', message, { status: 400 })
  const held = Promise.withResolvers<void>()
  agent.state.hold = held.promise
  const list = agent.begin({ state: 'running,nonsense' })
  agent.change(LIVES[4]!.started)
  held.resolve()
  await waitFor('the fault is told', () => list.fault.value)
  assert.deepEqual(idsOf(list), [])
  agent.change(LIVES[5]!.started)
  assert.deepEqual(idsOf(list), [])
  agent.state.error = undefined
  agent.reset()
  await waitFor('both are there', () => idsOf(list).length === 2)
  agent.change(LIVES[6]!.started)
  assert.deepEqual(idsOf(list), [6, 5, 4])
})

test('jobs go when they have become too old for the filter', async () => {
  const idAt = (ms: number) => ms.toString(16).padStart(12, '0').padEnd(32, '0')
  const agent = createFakeAgent([1000, 500, 200].map((ago, at) => lifeOf(at, { id: idAt(NOW - ago) }).ended))
  const filters = [{ since: '1s' }, { since: new Date(NOW - 1000).toISOString() }, {}]
  const [relative, absolute, any] = await Promise.all(filters.map(filter => agent.follow(filter)))
  const countAfter = (ms: number, list: typeof relative): number => {
    agent.state.now = NOW + ms
    list!.dropOld()
    return countEnded(list!.sections.value)
  }
  assert.deepEqual(
    [0, 1, 500, 501, 900].map(ms => countAfter(ms, relative)),
    [3, 2, 2, 1, 0],
  )
  assert.deepEqual([countAfter(9999, absolute), countAfter(9999, any)], [3, 3])
})

test('jobs that were there stay when the agent cannot list them', async () => {
  const agent = createFakeAgent(ended(0, 3))
  const list = await agent.follow()
  agent.state.error = new ClientError('store-failed', 'the disk is full', { status: 503 })
  agent.reset()
  await waitFor('the fault is told', () => list.fault.value !== undefined)
  assert.deepEqual(idsOf(list), [2, 1, 0])
  agent.state.error = undefined
  agent.reset()
  await waitFor('it is over', () => list.fault.value === undefined)
})

test('the agent is asked whether a long command has the text, once a job and for many together', async () => {
  const cut = (number: number) => {
    const { started, ended } = lifeOf(number, { cmd: 'x'.repeat(2000) })
    return { started, ended }
  }
  const [one, two, three] = [cut(1), cut(2), cut(3)]
  const hasNeedle = ({ id }: ListedJob) => id !== idOf(2)
  const agent = createFakeAgent([], job => (hasNeedle(job) ? 'x needle' : 'x'))
  const list = await agent.follow({ q: 'needle' })
  agent.change(one!.started, two!.started)
  agent.change(three!.started)
  await waitFor('they are there', () => idsOf(list).length === 2)
  agent.change(one!.ended, two!.ended, three!.ended)
  assert.deepEqual(idsOf(list), [3, 1])
  assert.equal(list.sections.value.running.length, 0)
  assert.ok(agent.queries.length <= 3)
})

test('a table that nobody has scrolled does not grow without end', async () => {
  const agent = createFakeAgent(ended(0, 10))
  let mayForget = false
  const list = await agent.follow({}, () => mayForget)
  agent.change(...ended(10, 2800))
  assert.equal(countEnded(list.sections.value), 2800)
  mayForget = true
  agent.change(LIVES[2801]!.ended)
  assert.ok(countEnded(list.sections.value) < 1200)
  assert.ok(list.hasOlder.value)
  mayForget = false
  while (list.hasOlder.value) await list.readOlder()
  assert.equal(countEnded(list.sections.value), 2801)
})

test('a list that is closed follows nothing', async () => {
  const agent = createFakeAgent(ended(0, 3))
  const list = await agent.follow()
  list.close()
  assert.ok(!agent.isFollowed())
})
