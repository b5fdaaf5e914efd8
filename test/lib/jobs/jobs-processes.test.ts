import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { createClock } from '../../../lib/base/clock.ts'
import type { AgentError } from '../../../lib/base/errors.ts'
import { recover } from '../../../lib/jobs/recovery.ts'
import type { Processes } from '../../../lib/process/types.ts'
import { createTestJobs, script } from '../../support/jobs.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { findByText, know, lives, zombieChildren } from '../../support/proc.ts'
import { runningJob } from '../../support/sample-jobs.ts'
import { waitFor } from '../../support/wait-for.ts'

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone.
  }
}

describe('the processes of a job', () => {
  const agent = createTestJobs()
  const { jobs } = agent
  after(async () => {
    await agent.close()
    await waitFor('no zombie is left', () => zombieChildren(process.pid).length === 0)
  })
  let unique = process.pid * 100

  test('are listed with their parents, state, command, CPU time and memory while it runs', async () => {
    const id = await agent.start({
      cmd: 'sleep 1000 & env -i setsid perl -e \'print "ready\\n"; $|=1; 1 while 1\'; wait',
    })
    const leader = (await jobs.get(id))!.pid
    const found = await waitFor('all have become what they are, and one is busy', async () => {
      const all = await jobs.listProcesses(id)
      const commands = all.map(({ command }) => command).sort()
      const isBusy = all.some(({ command, cpu }) => command === 'perl' && cpu.user > 0)
      return commands.join() === 'bash,perl,sleep' && isBusy && all
    })
    const own = found.find(({ pid }) => pid === leader)!
    assert.deepEqual([own.command, own.state, own.parent], ['bash', 'S', process.pid])
    const sleep = found.find(({ command }) => command === 'sleep')!
    assert.deepEqual([sleep.parent, sleep.state], [leader, 'S'])
    assert.equal(found.find(({ command }) => command === 'perl')?.state, 'R')
    for (const { residentBytes } of found) assert.ok(residentBytes > 100_000)
    await jobs.cancel(id)
    assert.deepEqual(await jobs.listProcesses(id), [])
    await assert.rejects(jobs.listProcesses('nope'), (error: AgentError) => error.code === 'unknown-job')
  })

  test('get a signal without any change of state but what they make of it', async () => {
    const id = await agent.start({
      cmd: "trap 'echo leader' HUP; bash -c 'trap \"echo child\" HUP; echo ready; while :; do sleep 0.01; done' & while :; do sleep 0.01; done",
    })
    const output = async () => (await jobs.get(id))!.stdout
    await waitFor('both have set their traps', async () => (await output()).includes('ready'))
    assert.equal((await jobs.signal(id, 'SIGHUP', 'leader')).state, 'running')
    await waitFor('the leader got it', async () => (await output()) === 'ready\nleader\n')
    await jobs.signal(id, 'SIGHUP', 'all')
    await waitFor(
      'both got it',
      async () => /child/.test(await output()) && (await output()).split('leader').length === 3,
    )
    await jobs.signal(id, 'SIGKILL', 'leader')
    await jobs.waitForEnd(id)
    const job = (await jobs.get(id))!
    assert.deepEqual([job.state, job.reason, job.error], ['failed', 'signaled', 'signal: killed'])
    assert.ok(job.leftovers >= 1)
    await assert.rejects(jobs.signal(id, 'SIGHUP', 'all'), (error: AgentError) => error.code === 'job-ended')
    await assert.rejects(
      jobs.signal('nope', 'SIGHUP', 'all'),
      (error: AgentError) => error.code === 'unknown-job',
    )
    // What the child has started for a moment may be gone by now.
    await waitFor('what it has left is gone', async () => {
      const left = await jobs.listProcesses(id)
      for (const { pid } of left) kill(pid)
      return left.length === 0
    })
  })

  test('that stay behind are counted, at the end and now, and can be listed', async () => {
    const text = String(unique++)
    const cmd = `sleep 1000.${text} & env -i setsid sleep 1000.${text} & (setsid sleep 1000.${text} <&- >&- 2>&- &)`
    const job = await agent.run({ cmd })
    assert.deepEqual([job.state, job.leftovers, job.livingLeftovers], ['success', 3, 3])
    const [first, ...rest] = findByText(text)
    process.kill(first!.pid, 'SIGKILL')
    await waitFor('one is gone', async () => (await jobs.get(job.id))!.livingLeftovers === 2)
    assert.deepEqual(
      (await jobs.listProcesses(job.id)).map(({ pid }) => pid).sort(),
      rest.map(({ pid }) => pid).sort(),
    )
    for (const { pid } of rest) process.kill(pid, 'SIGKILL')
    await waitFor('all are gone', async () => (await jobs.get(job.id))!.livingLeftovers === 0)
    assert.equal((await jobs.get(job.id))!.leftovers, 3)
  })

  test('that would stay behind are stopped with it if it was asked for', async () => {
    const text = String(unique++)
    const cmd = `(trap '' TERM; sleep 1000.${text}) & env -i setsid sleep 1000.${text} & echo done; exit 3`
    const job = await agent.run({ cmd, leftovers: 'kill' })
    assert.deepEqual([job.state, job.reason, job.exitCode, job.leftovers], ['failed', 'exited', 3, 0])
    assert.equal(job.stdout, 'done\n')
    assert.deepEqual(findByText(text), [])
  })

  test('are accounted for: seconds of CPU time, of the job and of what it waited for', async () => {
    const { cpu } = await agent.run({ cmd: "perl -e 'my $n; $n++ while (times)[0] < 0.2'" })
    assert.ok(cpu.user >= 0.2 && cpu.user < 60, String(cpu.user))
    assert.ok(cpu.system >= 0)
  })

  test('have a higher OOM score than the agent, which keeps its own', async () => {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
    const job = await agent.run({ cmd: 'cat /proc/self/oom_score_adj' })
    assert.equal(Number(job.stdout), Math.min(own + 300, 1000))
    assert.equal(Number(readFileSync('/proc/self/oom_score_adj', 'utf8')), own)
  })
})

test('a job that is still being started can be canceled, but one that fails to start gets no signal', async () => {
  const agent = createTestJobs()
  const newest = async () => (await agent.jobs.list({ limit: 1 }))[0]!.id
  const starting = agent.start({ script: script('sleep 1000') })
  const canceled = await agent.jobs.cancel(await newest())
  assert.deepEqual([canceled.state, canceled.reason, canceled.error], ['canceled', 'canceled', 'canceled'])
  assert.equal(canceled.id, await starting)
  assert.deepEqual(agent.scripts(), [])

  const failing = agent.start({ cmd: 'true', cwd: '/nope' })
  await assert.rejects(
    newest().then(id => agent.jobs.signal(id, 'SIGHUP', 'leader')),
    (error: AgentError) => error.code === 'job-ended',
  )
  assert.equal((await agent.jobs.get(await failing))?.reason, 'start-failed')
  await agent.close()
})

test('a submission that could not be started is told as failed at once, not as running', async () => {
  const agent = createTestJobs()
  const states: string[] = []
  await agent
    .start({ cmd: 'true', cwd: '/nope' })
    .then(async () => states.push((await agent.jobs.list({ limit: 1 }))[0]!.state))
  assert.deepEqual(states, ['failed'])
  assert.equal(agent.jobs.countRunning(), 0)
  await agent.close()
})

test('what survives even SIGKILL is told in the job', async () => {
  const real = linuxProcesses()
  const survivor = { pid: 1, startTime: 1, mark: undefined, parent: 0, state: 'D', command: 'stuck' }
  const stuck = { ...survivor, cpu: { user: 0, system: 0 }, residentBytes: 0 }
  const processes: Processes = {
    ...real,
    find: async (target, known) => [...(await real.find(target, known)), stuck],
    signal: (found, signal) => (found.pid === 1 ? 'not-permitted' : real.signal(found, signal)),
  }
  const agent = createTestJobs({ processes, killGraceMs: 10 })
  const id = await agent.start({ cmd: 'sleep 1000' })
  const job = await agent.jobs.cancel(id)
  assert.deepEqual([job.state, job.survivors], ['canceled', [{ pid: 1, command: 'stuck' }]])
  assert.deepEqual((await agent.jobs.get(id))?.survivors, job.survivors)
  assert.equal(agent.jobs.countRunning(), 0)
  await agent.close()
})

test('recovery touches no process that merely has a recorded pid, or is of its group', async t => {
  const agent = createTestJobs()
  const stranger = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
  t.after(async () => {
    stranger.kill('SIGKILL')
    await agent.close()
  })
  const known = know(stranger.pid!)
  const job = runningJob()
  agent.jobStore.insert(job, linuxProcesses().newMark())
  agent.jobStore.markStarted([{ id: job.id, pid: known.pid, startTime: job.createTime }])
  const { jobStore, outputStore } = agent
  const log = { info() {}, warn() {}, error() {} }
  const { lifecycle } = agent
  await recover({ jobStore, outputStore, lifecycle, processes: linuxProcesses(), clock: createClock(), log })
  assert.equal((await agent.jobs.get(job.id))?.reason, 'agent-lost')
  assert.ok(lives(known))
})

test('five hundred jobs are stopped by one look after another, not by one each', async () => {
  const real = linuxProcesses()
  const agent = createTestJobs({ limit: 500 })
  await Promise.all(Array.from({ length: 500 }, () => agent.start({ cmd: 'exec sleep 1000' })))
  const pids = (
    await Promise.all((await agent.jobs.list({ limit: 500 })).map(({ id }) => agent.jobs.get(id)))
  ).map(job => know(job!.pid))
  assert.equal(pids.length, 500)
  await agent.jobs.close(60_000)
  assert.deepEqual(pids.filter(lives), [])
  assert.equal(agent.jobs.countRunning(), 0)
  assert.deepEqual(await real.find({ marks: new Set(), pid: 0 }), [])
  await agent.close()
})
