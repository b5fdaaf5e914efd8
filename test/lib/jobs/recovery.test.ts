import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Clock } from '../../../lib/base/clock.ts'
import { createJobEvents } from '../../../lib/jobs/events.ts'
import type { RunningJob } from '../../../lib/jobs/job.ts'
import { createLifecycle } from '../../../lib/jobs/lifecycle.ts'
import { logJobEvents } from '../../../lib/jobs/log-events.ts'
import { recover } from '../../../lib/jobs/recovery.ts'
import type { Processes } from '../../../lib/process/types.ts'
import { NO_USAGE } from '../../../lib/process/types.ts'
import { createJobStore } from '../../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../../lib/store/sqlite/outputs.ts'
import { type FakeProcess, fakeProcesses } from '../../support/fake-processes.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { endOf, NO_OUTPUT, runningJob, SOME_TIME } from '../../support/sample-jobs.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { scratchDatabase } from '../../support/scratch-database.ts'

const FOUND_AT = SOME_TIME + 60_000_000
const clock: Clock = {
  now: () => FOUND_AT,
  timer: () => ({ startedAt: FOUND_AT, now: () => FOUND_AT }),
}

/** The directory of an agent that was killed; `recover` runs what its next life does first. */
const lostAgent = (living: FakeProcess[] = []) => {
  const database = scratchDatabase()
  const jobStore = createJobStore(database)
  const outputStore = createOutputStore(database)
  const fake = fakeProcesses(living)
  const { log, lines } = recordingLog()
  const events = createJobEvents(error => assert.fail(String(error)))
  events.subscribe(logJobEvents(log))
  const retention = { added: () => {} }
  const ballast = { isHeld: () => true, giveUp: () => false }
  const lifecycle = createLifecycle({ jobStore, outputStore, retention, ballast, events, log })
  return {
    jobStore,
    outputStore,
    fake,
    lines,
    recover: (processes: Processes = fake.processes) =>
      recover({ jobStore, outputStore, lifecycle, processes, clock, log }),
  }
}

const lostForm = (job: RunningJob) => ({
  ...job,
  state: 'failed',
  finishTime: FOUND_AT,
  exitCode: 0,
  signal: '',
  error: 'agent was lost',
  reason: 'agent-lost',
  cpu: { user: 0, system: 0 },
  usage: NO_USAGE,
  leftovers: 0,
  survivors: [],
})

test('a job that was running is recorded as lost, with the pid and the start that it had', async () => {
  const agent = lostAgent()
  const job = runningJob({ cmd: 'sleep 99' })
  agent.jobStore.insert(job, 7)
  agent.jobStore.markStarted([{ id: job.id, pid: 4321, startTime: SOME_TIME + 5 }])
  await agent.recover()
  const expected = { ...lostForm(job), pid: 4321, startTime: SOME_TIME + 5 }
  assert.deepEqual(agent.jobStore.find(job.id)?.job, expected)
  assert.deepEqual(agent.jobStore.findRunning(), [])
})

test('a job that was being started is recorded as lost, started when it was created', async () => {
  const agent = lostAgent()
  const job = runningJob()
  agent.jobStore.insert(job, 7)
  await agent.recover()
  assert.deepEqual(agent.jobStore.find(job.id)?.job, { ...lostForm(job), startTime: job.createTime })
})

test('jobs that had ended stay as they were', async () => {
  const agent = lostAgent()
  const ended = endOf(runningJob(), { state: 'failed', exitCode: 3, error: 'exit status 3' })
  agent.jobStore.insert(runningJob({ id: ended.id }), 7)
  agent.jobStore.finish(ended, NO_OUTPUT, 0)
  const before = agent.jobStore.find(ended.id)
  agent.jobStore.insert(runningJob(), 8)
  await agent.recover()
  assert.deepEqual(agent.jobStore.find(ended.id), before)
})

test("what lives of the lost jobs is killed at once, and nobody else's processes are touched", async () => {
  const agent = lostAgent([
    { pid: 11, mark: 7 },
    { pid: 12, mark: 8 },
    { pid: 13, mark: 7 },
    { pid: 14, mark: 99 },
  ])
  const ended = runningJob()
  agent.jobStore.insert(ended, 99)
  agent.jobStore.finish(endOf(ended), NO_OUTPUT, 0)
  agent.jobStore.insert(runningJob(), 7)
  agent.jobStore.insert(runningJob(), 8)
  await agent.recover()
  assert.deepEqual(agent.fake.livingPids(), [14])
  assert.ok(
    agent.fake.signals.every(signal => /^SIG(STOP|KILL) 1[123]$/.test(signal)),
    `${agent.fake.signals}`,
  )
})

test('no job is recorded as lost before its processes are gone', async () => {
  const agent = lostAgent([{ pid: 11, mark: 7 }])
  const job = runningJob()
  agent.jobStore.insert(job, 7)
  const { processes } = agent.fake
  await agent.recover({
    ...processes,
    find(target) {
      assert.equal(agent.jobStore.find(job.id)?.job.state, 'running')
      return processes.find(target)
    },
  })
  assert.equal(agent.jobStore.find(job.id)?.job.state, 'failed')
})

test('a process that survives even SIGKILL is reported, and the agent starts all the same', async t => {
  let now = 0
  t.mock.method(performance, 'now', () => (now += 1000))
  const agent = lostAgent([{ pid: 11, mark: 7, immortal: true }])
  const job = runningJob()
  agent.jobStore.insert(job, 7)
  await agent.recover()
  const error = agent.lines.find(({ level }) => level === 'error')
  assert.deepEqual(error?.fields, { survivors: [{ pid: 11, command: 'fake' }] })
  assert.equal(agent.jobStore.find(job.id)?.job.state, 'failed')
})

test('the output that was kept stays, and what had been dropped is counted', async () => {
  const agent = lostAgent()
  const job = runningJob()
  const number = agent.jobStore.insert(job, 7)
  const chunk = (seq: number, position: number, bytes: Uint8Array) =>
    ({ seq, stream: 'stdout', time: 1, position, streamPosition: position, bytes }) as const
  agent.outputStore.append(number, [chunk(1, 0, Uint8Array.of(1, 2)), chunk(2, 10, Uint8Array.of(3))])
  await agent.recover()
  assert.deepEqual(agent.jobStore.find(job.id)?.totals, { stdoutBytes: 11, stderrBytes: 0, keptBytes: 3 })
  assert.deepEqual(
    [...agent.outputStore.read(number)].map(({ bytes }) => [...bytes]),
    [[1, 2], [3]],
  )
})

test('the scripts of lost jobs are removed, and a script that is gone already does not matter', async () => {
  const directory = scratchDirectory()
  const [kept, gone] = [join(directory, 'kept.sh'), join(directory, 'gone.sh')]
  writeFileSync(kept, 'echo hello')
  const agent = lostAgent()
  const jobs = [kept, gone].map(scriptPath => runningJob({ scriptPath, scriptType: 'shell' }))
  for (const job of jobs) agent.jobStore.insert(job, 7)
  await agent.recover()
  assert.equal(existsSync(kept), false)
  for (const { id } of jobs) assert.equal(agent.jobStore.find(id)?.job.state, 'failed')
})

test('each lost job is told of in the log, without its command', async () => {
  const agent = lostAgent()
  const jobs = [runningJob({ cmd: 'mysql -ptopsecret' }), runningJob({ cmd: 'mysql -ptopsecret' })]
  for (const job of jobs) agent.jobStore.insert(job, 7)
  await agent.recover()
  const warned = agent.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)
  assert.deepEqual(
    warned.map(fields => (fields as { jobId: string }).jobId).sort(),
    jobs.map(({ id }) => id).sort(),
  )
  assert.ok(!JSON.stringify(agent.lines).includes('topsecret'))
})

test('when nothing was lost nothing is looked for, and recovering twice changes nothing', async () => {
  const agent = lostAgent()
  const job = runningJob()
  agent.jobStore.insert(job, 7)
  await agent.recover()
  const before = agent.jobStore.find(job.id)
  const unwanted = () => assert.fail('nothing is to be done')
  await agent.recover({
    newMark: unwanted,
    openDirectory: unwanted,
    start: unwanted,
    startHelper: unwanted,
    leaveThreads: unwanted,
    unguard: unwanted,
    guardian: unwanted,
    close: unwanted,
    find: unwanted,
    mayHaveLeft: unwanted,
    signal: unwanted,
    findAccount: unwanted,
    userSupport: unwanted,
    limitSupport: unwanted,
    usage: unwanted,
    wasOutOfMemory: unwanted,
    killAtOnce: unwanted,
    needsSetUp: unwanted,
    limitAllJobs: unwanted,
    noNewPrivilegesSupport: unwanted,
  })
  assert.deepEqual(agent.jobStore.find(job.id), before)
  assert.equal(agent.lines.length, 1)
})
