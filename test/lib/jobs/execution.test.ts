import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClock } from '../../../lib/base/clock.ts'
import { createExecution } from '../../../lib/jobs/execution.ts'
import { newFacts } from '../../../lib/jobs/facts.ts'
import type { JobRequest, RunningJob } from '../../../lib/jobs/job.ts'
import type { Exit } from '../../../lib/process/exit-status.ts'
import type { Account, Limits, LivingProcess, Processes, StartSpec } from '../../../lib/process/types.ts'
import { NO_USAGE } from '../../../lib/process/types.ts'
import { requestOf, SOMEBODY } from '../../support/jobs.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { know, lives } from '../../support/proc.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { waitFor } from '../../support/wait-for.ts'

/** One job on real processes, less what a test replaces of them; and what was made known of it. */
const executionOf = (
  t: TestContext,
  given: Partial<JobRequest>,
  replaced: Partial<Processes> = {},
  { limits, account }: { limits?: Limits; account?: Account } = {},
) => {
  const directory = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const request = requestOf(given)
  const timer = createClock().timer()
  const facts = newFacts(request, {
    id: 'job',
    createTime: timer.startedAt,
    scriptDirectory: directory,
    caller: SOMEBODY,
    limits,
  })
  const job: RunningJob = { ...facts, state: 'running', pid: 0, startTime: undefined }
  const { log, lines } = recordingLog()
  const real = linuxProcesses()
  const unguarded: number[] = []
  const started = Promise.withResolvers<void>()
  const processes: Processes = {
    ...real,
    unguard(mark) {
      unguarded.push(mark)
      real.unguard(mark)
    },
    ...replaced,
  }
  const execution = createExecution({
    job,
    request,
    account,
    env: { PATH: process.env.PATH ?? '' },
    processes,
    clock: timer,
    killGraceMs: 5000,
    log,
    onStarted: started.resolve,
  })
  let output = ''
  let ends = 0
  const capture = {
    write: (_stream: unknown, bytes: Uint8Array) => {
      output += Buffer.from(bytes).toString()
    },
    end: () => {
      ends++
    },
  }
  t.after(() => execution.stop('canceled', 0))
  return {
    execution,
    job,
    lines,
    run: () => execution.run(capture),
    started: started.promise,
    output: () => output,
    /** Its capture was ended once, its guardian told once, and its script is gone. */
    assertReleased(): void {
      assert.equal(ends, 1)
      assert.deepEqual(unguarded, [execution.mark])
      assert.ok(!existsSync(job.scriptPath))
    },
  }
}

const script = (content: string) => ({
  cmd: '',
  script: { name: 'it.sh', content, type: 'shell' as const, words: [] },
})

test('a job that ends by itself tells its exit status, and releases all that it held', async t => {
  const { run, job, output, assertReleased } = executionOf(t, script('echo "$0"; exit 7'))
  const ended = await run()
  assert.deepEqual(
    [ended.state, ended.reason, ended.exitCode, ended.error],
    ['failed', 'exited', 7, 'exit status 7'],
  )
  assert.ok(ended.pid > 0)
  assert.ok(ended.startTime >= job.createTime && ended.finishTime >= ended.startTime)
  assert.equal(output(), `${job.scriptPath}\n`)
  assertReleased()
})

test('of several reasons to stop the first counts, and the shortest grace period', async t => {
  const { execution, run, started, output } = executionOf(t, {
    cmd: "trap '' TERM; echo ready; while :; do sleep 0.02; done",
  })
  const done = run()
  await started
  await waitFor('it ignores TERM', () => output() !== '')
  execution.stop('output-limit', 3_600_000)
  execution.stop('canceled', 0)
  execution.stop('timeout', 3_600_000)
  const ended = await done
  assert.deepEqual([ended.reason, ended.state, ended.signal], ['output-limit', 'failed', 'SIGKILL'])
})

test('one that is stopped before it has begun never starts a process', async t => {
  const { execution, run, job, assertReleased } = executionOf(t, script('exec sleep 1000'))
  const done = run()
  execution.stop('canceled', 0)
  const ended = await done
  assert.deepEqual(
    [ended.reason, ended.state, ended.error, ended.pid],
    ['canceled', 'canceled', 'canceled', 0],
  )
  assert.equal(job.startTime, undefined)
  assertReleased()
})

test('one that is stopped while its process is being started ends as soon as it runs', async t => {
  const real = linuxProcesses()
  const { execution, run, assertReleased } = executionOf(
    t,
    { cmd: 'exec sleep 1000' },
    {
      async start(spec) {
        const started = await real.start(spec)
        execution.stop('canceled', 3_600_000)
        return started
      },
    },
  )
  const ended = await run()
  assert.deepEqual([ended.reason, ended.signal], ['canceled', 'SIGTERM'])
  assertReleased()
})

test('a timeout counts from the start of the process, and a job that ends before it has none', async t => {
  const late = await executionOf(t, { cmd: 'exec sleep 1000', timeout: { text: '50ms', ms: 50 } }).run()
  assert.deepEqual([late.reason, late.error, late.signal], ['timeout', 'signal: terminated', 'SIGTERM'])
  const early = await executionOf(t, { cmd: 'exit 0', timeout: { text: '1h', ms: 3_600_000 } }).run()
  assert.deepEqual([early.reason, early.state], ['exited', 'success'])
})

test('a program that cannot be started is told in the words of os/exec, an unexpected error only in the log', async t => {
  const wrong = executionOf(t, { cmd: 'true', cwd: '/no/such/directory' })
  const ended = await wrong.run()
  assert.deepEqual(
    [ended.reason, ended.state, ended.error],
    ['start-failed', 'failed', 'chdir /no/such/directory: no such file or directory'],
  )
  wrong.assertReleased()
  assert.deepEqual(wrong.lines, [])

  const broken = executionOf(
    t,
    { cmd: 'true' },
    { start: () => Promise.reject(new Error('a secret of ours')) },
  )
  assert.equal((await broken.run()).error, 'start failed')
  broken.assertReleased()
  assert.deepEqual(
    broken.lines.map(({ level, message }) => [level, message]),
    [['error', 'starting a job failed']],
  )
})

test('a script that cannot be written is a start that failed, and nothing is run', async t => {
  const { run, job, assertReleased } = executionOf(t, script('exit 0'))
  job.scriptPath = '/no/such/directory/it.sh'
  const ended = await run()
  assert.deepEqual([ended.reason, ended.error, ended.pid], ['start-failed', 'open script: ENOENT', 0])
  assertReleased()
})

test('what is left in the background is counted, or killed when the request says so', async t => {
  const cmd = '(exec sleep 1000) >/dev/null 2>&1 & echo $!'
  const kept = executionOf(t, { cmd })
  assert.equal((await kept.run()).leftovers, 1)
  const left = know(Number(kept.output()))
  assert.ok(lives(left))
  process.kill(left.pid, 'SIGKILL')
  const killed = executionOf(t, { cmd, leftovers: 'kill' })
  const ended = await killed.run()
  assert.deepEqual([ended.leftovers, ended.reason, ended.state], [0, 'exited', 'success'])
  const target = { marks: new Set([killed.execution.mark]), pid: 0 }
  assert.deepEqual(await linuxProcesses().find(target), [])
})

test('a stop that comes after the end of the job leaves the background alone', async t => {
  const { execution, run, output } = executionOf(t, { cmd: '(exec sleep 1000) >/dev/null 2>&1 & echo $!' })
  const ended = await run()
  execution.stop('canceled', 0)
  const left = know(Number(output()))
  t.after(() => process.kill(left.pid, 'SIGKILL'))
  assert.equal(ended.reason, 'exited')
  assert.ok((await linuxProcesses().find({ marks: new Set([execution.mark]), pid: 0 })).length === 1)
  assert.ok(lives(left))
})

test('a job whose process outlives even SIGKILL ends all the same, and names the survivor', async t => {
  const survivor = {
    pid: 4_000_000,
    startTime: 1,
    mark: undefined,
    parent: 1,
    state: 'D',
    command: 'stuck',
    cpu: { user: 0, system: 0 },
    residentBytes: 0,
  }
  const { execution, run, started, assertReleased } = executionOf(
    t,
    { cmd: 'unused' },
    {
      start: async () => ({
        pid: survivor.pid,
        exited: new Promise(() => {}),
        outputClosed: Promise.resolve(),
        kill: () => 'sent',
      }),
      find: async () => [survivor],
      mayHaveLeft: () => true,
      signal: () => 'sent',
    },
  )
  const done = run()
  await started
  execution.stop('canceled', 0)
  const ended = await done
  assert.deepEqual([ended.reason, ended.survivors], ['canceled', [{ pid: survivor.pid, command: 'stuck' }]])
  assert.equal(ended.leftovers, 0) // It is told of once.
  assertReleased()
})

test('a fault of the agent itself, after which nobody sees the end, is no success', async t => {
  let asked = 0
  const { run, lines, assertReleased } = executionOf(
    t,
    { cmd: 'unused' },
    {
      start: async () => ({
        pid: 4_000_000,
        // Only once: what ends the test stops it again.
        get exited() {
          return asked++ === 0
            ? Promise.reject(new Error('nobody expects this'))
            : new Promise<Exit>(() => {})
        },
        outputClosed: Promise.resolve(),
        kill: () => 'sent',
      }),
    },
  )
  const ended = await run()
  assert.deepEqual([ended.state, ended.reason], ['failed', 'agent-lost'])
  assert.deepEqual([lines.length, lines[0]?.level], [1, 'error'])
  assertReleased()
})

test('a signal goes to the job’s own process or to all, and tells when nobody may or can be signaled', async t => {
  const { execution, run, started, output } = executionOf(t, {
    cmd: "trap 'echo leader' USR1; bash -c 'trap \"echo child\" USR1; echo ready; while :; do sleep 0.02; done' & while :; do sleep 0.02; done",
  })
  const done = run()
  await started
  await waitFor('both are ready', () => output().includes('ready'))
  assert.equal(await execution.signal('SIGUSR1', 'leader'), 'sent')
  await waitFor('the leader has it', () => output().includes('leader'))
  assert.ok(!output().includes('child'))
  assert.equal(await execution.signal('SIGCONT', 'all'), 'sent')
  execution.stop('canceled', 0)
  await done
  assert.equal(await execution.signal('SIGUSR1', 'leader'), 'gone')
  assert.equal(await execution.signal('SIGUSR1', 'all'), 'gone')
})

/** A process that exists only here: it ends when the test says so, or when it is killed. */
const fakeProcess = (setUp?: Promise<string>) => {
  const exited = Promise.withResolvers<Exit>()
  const signals: string[] = []
  const living: LivingProcess = {
    pid: 4_000_001,
    startTime: 1,
    mark: undefined,
    parent: 1,
    state: 'S',
    command: 'fake',
    cpu: { user: 0, system: 0 },
    residentBytes: 0,
  }
  let hasEnded = false
  const end = (exitCode: number, signal = 0): void => {
    hasEnded = true
    exited.resolve({ status: { exitCode, signal, coreDumped: false }, cpu: { user: 0.5, system: 0.25 } })
  }
  const specs: StartSpec[] = []
  const replaced: Partial<Processes> = {
    async start(spec) {
      specs.push(spec)
      return {
        pid: living.pid,
        exited: exited.promise,
        outputClosed: Promise.resolve(),
        kill: () => 'sent',
        setUp,
      }
    },
    find: async () => (hasEnded ? [] : [living]),
    mayHaveLeft: () => !hasEnded,
    signal(_process, signal) {
      signals.push(signal)
      if (signal === 'SIGKILL') end(0, 9)
      return 'sent'
    },
    usage: () => assert.fail('nobody looks at what it uses'),
    wasOutOfMemory: () => false,
  }
  return { replaced, end, signals, specs, pid: living.pid }
}

const DEPLOY: Account = { name: 'deploy', uid: 1, gid: 1, groups: [1], home: '/', shell: '' }
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const late = Symbol('late')
  await new Promise(setImmediate)
  return (await Promise.race([promise, Promise.resolve(late)])) !== late
}

test('a job whose program is set up first runs from then on, and not before', async t => {
  const setUp = Promise.withResolvers<string>()
  const fake = fakeProcess(setUp.promise)
  const { run, job, started } = executionOf(t, { cmd: 'unused' }, fake.replaced)
  const done = run()
  assert.equal(await isSettled(started), false)
  assert.deepEqual([job.pid, job.startTime], [0, undefined])
  setUp.resolve('')
  await started
  assert.equal(job.pid, fake.pid)
  fake.end(3)
  const ended = await done
  assert.deepEqual([ended.reason, ended.exitCode, ended.pid], ['exited', 3, fake.pid])
})

test('a job whose program could not be set up has failed to start, with the reason, whether its process ends or not', async t => {
  for (const endsByItself of [true, false]) {
    const fake = fakeProcess(Promise.resolve('chdir /root: permission denied'))
    const { run, job } = executionOf(t, { cmd: 'unused' }, fake.replaced)
    if (endsByItself) fake.end(126)
    const ended = await run()
    assert.deepEqual(
      [ended.state, ended.reason, ended.error, ended.exitCode, ended.signal],
      ['failed', 'start-failed', 'chdir /root: permission denied', 0, ''],
    )
    assert.deepEqual([ended.pid, job.startTime, ended.usage], [0, undefined, NO_USAGE])
    assert.equal(fake.signals.includes('SIGKILL'), !endsByItself)
  }
})

test('a word of what went wrong that comes after the end of the process still counts', async t => {
  const setUp = Promise.withResolvers<string>()
  const fake = fakeProcess(setUp.promise)
  const { run } = executionOf(t, { cmd: 'unused' }, fake.replaced)
  const done = run()
  fake.end(126)
  await new Promise(setImmediate)
  setUp.resolve('no such shell')
  const ended = await done
  assert.deepEqual([ended.reason, ended.error, ended.pid], ['start-failed', 'no such shell', 0])
})

test('a set-up that never tells its end does not hold up that of the job', async t => {
  const fake = fakeProcess(new Promise(() => {}))
  const { run } = executionOf(t, { cmd: 'unused' }, fake.replaced)
  const done = run()
  fake.end(3)
  const ended = await done
  assert.deepEqual([ended.reason, ended.error, ended.pid], ['exited', 'exit status 3', fake.pid])
})

test('a job is canceled, and timed out, while its program is still being set up', async t => {
  const canceled = executionOf(t, { cmd: 'unused' }, fakeProcess(new Promise(() => {})).replaced)
  const done = canceled.run()
  await new Promise(setImmediate)
  canceled.execution.stop('canceled', 0)
  const ended = await done
  assert.deepEqual([ended.state, ended.reason, ended.signal], ['canceled', 'canceled', 'SIGKILL'])
  assert.deepEqual([ended.pid, canceled.job.startTime], [0, undefined])
  canceled.assertReleased()

  const timeout = { text: '20ms', ms: 20 }
  const fake = fakeProcess(new Promise(() => {}))
  const late = executionOf(t, { cmd: 'unused', timeout }, fake.replaced)
  const lateDone = late.run()
  await waitFor('it is being stopped', () => fake.signals.includes('SIGTERM'))
  late.execution.stop('canceled', 0) // Only to shorten the grace period.
  const lateEnd = await lateDone
  assert.deepEqual([lateEnd.state, lateEnd.reason, lateEnd.pid], ['failed', 'timeout', 0])
})

test('a job of which the kernel has killed a process for want of memory has failed, whatever its own process says', async t => {
  for (const [exit, expected] of [
    [
      [0, 9],
      ['failed', 'out-of-memory', 'signal: killed'],
    ],
    [
      [137, 0],
      ['failed', 'out-of-memory', 'exit status 137'],
    ],
    [
      [0, 0],
      ['failed', 'out-of-memory', 'out of memory'],
    ],
  ] as const) {
    const fake = fakeProcess()
    const replaced = { ...fake.replaced, wasOutOfMemory: () => true }
    const { run, started } = executionOf(t, { cmd: 'unused' }, replaced)
    const done = run()
    await started
    fake.end(exit[0], exit[1])
    const ended = await done
    assert.deepEqual([ended.state, ended.reason, ended.error], expected)
  }
})

test('a job of which one process was killed for memory while others live on is killed as a whole', async t => {
  const fake = fakeProcess()
  const { run, started } = executionOf(t, { cmd: 'unused' }, fake.replaced)
  const done = run()
  await started
  fake.specs[0]!.onOutOfMemory!()
  const ended = await done
  assert.deepEqual([ended.state, ended.reason, ended.signal], ['failed', 'out-of-memory', 'SIGKILL'])
})

test('a job that needs no set-up is asked nothing more, and has used what its exit tells', async t => {
  const fake = fakeProcess()
  const { run, started, lines } = executionOf(t, { cmd: 'unused' }, fake.replaced)
  const done = run()
  await started
  fake.end(0)
  assert.deepEqual((await done).usage, { ...NO_USAGE, cpu: 0.75 })
  assert.deepEqual(lines, [])
  const [spec] = fake.specs
  assert.deepEqual([spec!.account, spec!.limits, spec!.noNewPrivileges], [undefined, undefined, undefined])
})

test('a job with limits, or a user, is started with them, and has used what the system counted', async t => {
  const limits = { memory: 1 << 29 }
  const usage = { ...NO_USAGE, cpu: 1, peakMemory: 9 }
  for (const given of [{ limits }, { account: DEPLOY }]) {
    const fake = fakeProcess(Promise.resolve(''))
    const seen: unknown[] = []
    const replaced: Partial<Processes> = {
      ...fake.replaced,
      async usage({ pid }, exit) {
        seen.push(pid, exit?.status.exitCode)
        return usage
      },
    }
    const request = { cmd: 'unused', env: { HOME: '/mine' }, noNewPrivileges: true }
    const { run, started } = executionOf(t, request, replaced, given)
    const done = run()
    await started
    fake.end(3)
    assert.deepEqual((await done).usage, usage)
    assert.deepEqual(seen, [fake.pid, 3])
    const { account, limits, noNewPrivileges, ownEnv } = fake.specs[0]!
    assert.deepEqual([account, limits, noNewPrivileges], [given.account, given.limits, true])
    assert.deepEqual([ownEnv!.HOME, ownEnv!.USER], ['/mine', given.account && 'deploy'])
  }
})

test('what cannot be read of the use of a job is in the log, and the job ends all the same', async t => {
  const fake = fakeProcess(Promise.resolve(''))
  const replaced = { ...fake.replaced, usage: () => Promise.reject(new Error('EMFILE')) }
  const { run, started, lines } = executionOf(t, { cmd: 'unused' }, replaced, { account: DEPLOY })
  const done = run()
  await started
  fake.end(0)
  assert.equal((await done).usage.cpu, 0.75)
  assert.equal(lines[0]?.message, 'what a job has used cannot be read')
})
