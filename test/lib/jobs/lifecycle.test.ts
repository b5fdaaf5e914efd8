import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { AgentError } from '../../../lib/base/errors.ts'
import { createJobEvents, type JobEvent } from '../../../lib/jobs/events.ts'
import type { EndedJob } from '../../../lib/jobs/job.ts'
import { createLifecycle, type Outgoing } from '../../../lib/jobs/lifecycle.ts'
import type { JobStore } from '../../../lib/store/job-store.ts'
import type { NewOutboxEntry } from '../../../lib/store/outbox-store.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

/** A store that fails with this error while it is set; and what a lifecycle on it has said and done. */
const createHarness = ({ ballasts = 0, of }: { ballasts?: number; of?: Outgoing['of'] } = {}) => {
  const state = { failure: undefined as Error | undefined, ballasts }
  const stored: unknown[][] = []
  const kinds: JobEvent['kind'][] = []
  const counted: unknown[] = []
  const record =
    (name: string) =>
    (...args: unknown[]) => {
      if (state.failure) throw state.failure
      stored.push([name, ...args])
      return stored.length
    }
  const jobStore = { insert: record('insert'), markStarted: record('start'), finish: record('finish') }
  const events = createJobEvents(error => assert.fail(String(error)))
  events.subscribe(event => kinds.push(event.kind))
  const { log, lines } = recordingLog()
  const addWith = <T>(entries: readonly NewOutboxEntry[], step: () => T): T => {
    const result = step()
    stored.push(['outbox', ...entries.map(({ id }) => id)])
    return result
  }
  const lifecycle = createLifecycle({
    jobStore: jobStore as unknown as JobStore,
    outputStore: { storedBytes: () => 77 },
    retention: { added: job => void counted.push(job) },
    ballast: {
      isHeld: () => state.failure === undefined,
      giveUp: () => {
        if (state.ballasts === 0) return false
        state.ballasts--
        state.failure = undefined
        return true
      },
    },
    events,
    outgoing: of && { of, store: { addWith } },
    log,
  })
  return { state, stored, kinds, counted, lines, lifecycle }
}

const EROFS = Object.assign(new Error('unable to open database file'), { errcode: 14 })
const TOTALS = { stdoutBytes: 3, stderrBytes: 0, keptBytes: 3 }
const ended = (): EndedJob => endOf(runningJob())

test('a command of more than 4 KB counts in what is kept, with its params', () => {
  const { lifecycle, stored, counted } = createHarness()
  for (const cmd of ['x'.repeat(4000), 'x'.repeat(4001)]) {
    const job = runningJob({ cmd, params: 'y'.repeat(96) })
    const number = lifecycle.create(job, 7)
    lifecycle.end(number, endOf(job), TOTALS)
  }
  const finished = stored.filter(([name]) => name === 'finish').map(call => call.at(-1))
  assert.deepEqual(finished, [77, 77 + 4097])
  assert.deepEqual(counted, [
    { storedBytes: 77, rejected: false },
    { storedBytes: 77 + 4097, rejected: false },
  ])
})

test('a job is created, started and ended: each step is stored, then told', () => {
  const { lifecycle, stored, kinds, counted } = createHarness()
  const job = runningJob({ pid: 5, startTime: 9 })
  const number = lifecycle.create(job, 7)
  lifecycle.start(job)
  lifecycle.recordStarts()
  const end = endOf(job)
  lifecycle.end(number, end, TOTALS)
  assert.deepEqual(stored, [
    ['insert', job, 7, undefined],
    ['start', [{ id: job.id, pid: 5, startTime: 9 }]],
    ['finish', end, TOTALS, 77],
  ])
  assert.deepEqual(kinds, ['created', 'started', 'ended'])
  assert.deepEqual(counted, [{ storedBytes: 77, rejected: false }])
})

test('a job that cannot be stored is refused, and nobody is told of it', () => {
  const { lifecycle, state, kinds } = createHarness()
  state.failure = EROFS
  assert.throws(
    () => lifecycle.create(runningJob(), 7),
    (error: AgentError) => error instanceof AgentError && error.code === 'not-stored',
  )
  assert.deepEqual(kinds, [])
})

test('a rejection is told even where it cannot be stored, and is counted apart from jobs that ran', () => {
  const { lifecycle, state, kinds, counted } = createHarness()
  const job = { ...runningJob(), state: 'rejected' as const, error: 'full' }
  lifecycle.reject(job, 5)
  state.failure = EROFS
  lifecycle.reject(job, 5)
  assert.deepEqual(kinds, ['rejected', 'rejected'])
  assert.deepEqual(counted, [{ storedBytes: 0, rejected: true }])
})

test('an end that the store refuses is told at once, kept in memory, and stored when that is possible', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { lifecycle, state, stored, kinds, counted } = createHarness()
  const ends = [ended(), ended(), ended()]
  state.failure = EROFS
  for (const [index, end] of ends.entries()) lifecycle.end(index, end, NO_OUTPUT)
  assert.deepEqual(kinds, ['ended', 'ended', 'ended'])
  assert.deepEqual(lifecycle.findUnstored(ends[1]!.id)?.job, ends[1])
  t.mock.timers.tick(5000)
  assert.deepEqual([stored, counted], [[], []])
  state.failure = undefined
  t.mock.timers.tick(1000)
  assert.deepEqual(
    stored.map(([name, end]) => [name, end]),
    ends.map(end => ['finish', end]),
  )
  assert.equal(counted.length, 3)
  assert.equal(lifecycle.findUnstored(ends[1]!.id), undefined)
  assert.deepEqual(kinds.length, 3, 'nobody is told twice')
})

test('an end takes the room that is kept for it when the disk is full', () => {
  const { lifecycle, state, stored } = createHarness({ ballasts: 1 })
  state.failure = new Error('database or disk is full')
  const end = ended()
  lifecycle.end(1, end, NO_OUTPUT)
  assert.deepEqual(
    stored.map(([name]) => name),
    ['finish'],
  )
  assert.equal(lifecycle.findUnstored(end.id), undefined)
})

test('closing tries once more, tells what could not be stored, and leaves no timer', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const { lifecycle, state, stored, lines } = createHarness()
    state.failure = EROFS
    lifecycle.end(1, ended(), NO_OUTPUT)
    lifecycle.close()
    assert.deepEqual(lines.at(-1)?.fields, { err: EROFS, jobs: 1 })
    state.failure = undefined
    mock.timers.tick(60_000)
    assert.deepEqual(stored, [])
    lifecycle.close()
    assert.equal(stored.length, 1)
  } finally {
    mock.timers.reset()
  }
})

const told: Outgoing['of'] = ({ kind, job }) => [
  {
    id: `${job.id}.${kind}`,
    jobId: job.id,
    sink: 'callback',
    target: 'http://a/',
    origin: 'http://a',
    kind,
    payload: '',
    createdAt: 0,
  },
]

test('a start is stored some milliseconds later, with others, and not at all for a job that has ended by then', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  t.mock.method(performance, 'now', () => now)
  let now = 0
  const pass = (ms: number): void => {
    now += ms
    t.mock.timers.tick(ms)
  }
  const { lifecycle, stored, kinds } = createHarness()
  const [short, long, late] = [1, 2, 3].map(pid => runningJob({ pid, startTime: 9 }))
  for (const job of [short, long]) lifecycle.start(job!)
  pass(15)
  lifecycle.start(late!)
  lifecycle.end(1, endOf(short!), TOTALS)
  pass(5)
  const starts = () => stored.filter(([name]) => name === 'start').map(([, jobs]) => jobs)
  assert.deepEqual(starts(), [[{ id: long!.id, pid: 2, startTime: 9 }]])
  pass(15)
  assert.deepEqual(starts().slice(1), [[{ id: late!.id, pid: 3, startTime: 9 }]])
  pass(1000)
  lifecycle.recordStarts()
  assert.equal(starts().length, 2)
  assert.deepEqual(kinds, ['started', 'started', 'started', 'ended'])
})

test('starts that cannot be stored are told in the log, and the jobs go on', () => {
  const { lifecycle, state, lines, kinds } = createHarness()
  const job = runningJob({ pid: 5 })
  lifecycle.start(job)
  state.failure = EROFS
  lifecycle.recordStarts()
  assert.deepEqual(
    lines.map(({ message, fields }) => [message, fields]),
    [['the starts of jobs could not be stored', { jobIds: [job.id], err: EROFS }]],
  )
  assert.deepEqual(kinds, ['started'])
})

test('who must be told of a step is stored with it', () => {
  const { lifecycle, stored } = createHarness({ of: told })
  const job = runningJob({ id: 'a' })
  lifecycle.create(job, 7)
  lifecycle.start(job)
  lifecycle.end(1, endOf(job), TOTALS)
  lifecycle.reject({ ...runningJob({ id: 'b' }), state: 'rejected', error: 'full' }, 5)
  assert.deepEqual(
    stored.map(([name, id]) => (name === 'outbox' ? id : name)),
    ['insert', 'a.created', 'start', 'a.started', 'finish', 'a.ended', 'insert', 'b.rejected'],
  )
})

test('an end that the store refuses keeps who must be told of it, as it was then', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let asked = 0
  const of: Outgoing['of'] = event => {
    asked++
    return told(event)
  }
  const { lifecycle, state, stored } = createHarness({ of })
  state.failure = EROFS
  lifecycle.end(1, endOf(runningJob({ id: 'a' })), TOTALS)
  t.mock.timers.tick(3000)
  assert.equal(stored.length, 0)
  state.failure = undefined
  t.mock.timers.tick(1000)
  assert.deepEqual(
    stored.map(([name, id]) => (name === 'outbox' ? id : name)),
    ['finish', 'a.ended'],
  )
  assert.equal(asked, 1)
})

test('a step of which nobody must be told is stored alone, and one whose message fails too', () => {
  const messages: Outgoing['of'][] = [
    () => [],
    () => {
      throw new Error('no')
    },
  ]
  for (const message of messages) {
    const { lifecycle, stored, kinds } = createHarness({ of: message })
    const job = runningJob()
    lifecycle.end(lifecycle.create(job, 7), endOf(job), TOTALS)
    assert.deepEqual(
      stored.map(([name]) => name),
      ['insert', 'finish'],
    )
    assert.deepEqual(kinds, ['created', 'ended'])
  }
})
