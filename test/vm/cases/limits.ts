import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { JobJson } from '../../../handlers/jobs/job-json.ts'
import { waitFor } from '../../support/wait-for.ts'
import { jobGroups, slowestHealth, UNIT_CGROUP, waitForNoGroups } from '../cgroups.ts'
import { createMachine } from '../machine.ts'

const machine = await createMachine()
const { agent } = machine

const MB = 1024 ** 2
const HOG = `python3 -c "
kept = []
while True: kept.append(b'x' * (1 << 20))
"`
const takeAndHold = (megabytes: number): string =>
  `python3 -c "kept = b'x' * (${megabytes} << 20); import time; time.sleep(20)"`
/** Each goes on trying when it may not fork. */
const FORK_BOMB = `exec python3 -c "
import os
while True:
    try: os.fork()
    except OSError: pass
"`

const outcomeOf = ({ state, reason }: JobJson) => [state, reason]
const inMegabytes = (bytes: number | null): string => `${((bytes ?? 0) / MB).toFixed(1)} MB`

// As the unit is: the agent is an ordinary user, and its control groups are given to it by systemd.
describe('limits, under the unit with cgroup v2', () => {
  before(machine.boot)

  test('are those that the agent says it can keep', async t => {
    const { limits } = (await agent.call('/api/agent')).data as { limits: Record<string, unknown> }
    t.diagnostic(JSON.stringify(limits))
    for (const name of ['memory', 'cpus', 'processes']) assert.deepEqual(limits[name], { by: 'cgroup-v2' })
  })

  test('put a job into a group below that of the unit, which is gone with the job', async t => {
    const job = await agent.run('cat /proc/self/cgroup', { limits: { memory: '64mb' } })
    t.diagnostic(job.stdout.trim())
    assert.match(job.stdout, /^0::\/system\.slice\/newdt-auto\.service\/jobs\/job-\d{16}$/m)
    await waitForNoGroups(machine)
  })

  test('let a job that takes too much memory end, with its peak, while the agent answers', async t => {
    const ending = agent.run(HOG, { limits: { memory: '64mb' } })
    const slowest = await slowestHealth(machine, ending)
    const job = await ending
    t.diagnostic(`peak ${inMegabytes(job.usage.peakMemory)} of 64, /healthz at most ${slowest} ms`)
    assert.deepEqual(outcomeOf(job), ['failed', 'out-of-memory'])
    assert.ok(job.usage.peakMemory! > 56 * MB && job.usage.peakMemory! <= 64 * MB)
    await waitForNoGroups(machine)
  })

  test('let all processes of such a job end together', async () => {
    const job = await agent.run(`sleep 1234 & (setsid sleep 1234 &); ${HOG} & sleep 1234; echo not reached`, {
      limits: { memory: '64mb' },
    })
    assert.deepEqual([...outcomeOf(job), job.stdout], ['failed', 'out-of-memory', ''])
    assert.equal(await machine.shell('pgrep -f "^sleep 1234" || true'), '')
    await waitForNoGroups(machine)
  })

  test('hold a fork bomb, and cancel ends the whole of it', async t => {
    const job = await agent.start(FORK_BOMB, { limits: { processes: 50 } })
    const group = await machine.shell(`sleep 3; ls -d ${UNIT_CGROUP}/jobs/job-*`)
    assert.equal(await machine.shell(`cat ${group}/pids.current`), '50')
    const begin = performance.now()
    const canceling = agent.cancel(job.id)
    const slowest = await slowestHealth(machine, canceling)
    const canceled = await canceling
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    t.diagnostic(
      `${canceled.usage.peakProcesses} processes, gone in ${seconds} s, /healthz at most ${slowest} ms`,
    )
    assert.deepEqual(outcomeOf(canceled), ['canceled', 'canceled'])
    assert.equal(canceled.usage.peakProcesses, 50)
    assert.equal(await machine.shell('pgrep -f "import os" || true'), '')
    await waitForNoGroups(machine)
  })

  test('give a job half a processor, also when two of its processes want one each', async t => {
    const loop = 'timeout 10 sh -c "while :; do :; done"'
    const job = await agent.run(`${loop} & ${loop}; wait`, { limits: { cpus: 0.5 } })
    const seconds = (Date.parse(job.finishTime) - Date.parse(job.startTime)) / 1000
    const share = job.usage.cpu! / seconds
    t.diagnostic(
      `${job.usage.cpu!.toFixed(2)} s of processor in ${seconds.toFixed(2)} s: ${share.toFixed(2)} of 0.50`,
    )
    assert.ok(seconds > 9 && share > 0.35 && share < 0.65, String(share))
  })

  test('of a process are kept by the kernel too', async () => {
    const limits = { openFiles: 64, fileSize: '1mb', nice: 7 }
    const job = await agent.run('ulimit -n; ulimit -f; nice; head -c 2m /dev/zero > "$(mktemp)"; echo $?', {
      limits,
    })
    assert.equal(job.stdout, `64\n1024\n7\n${128 + 25}\n`)
  })

  test('are told at the job, and what it uses while it runs', async () => {
    const { id } = await agent.start(takeAndHold(40), { limits: { memory: '64mb', processes: 10 } })
    await machine.shell('sleep 3')
    const { limits, usage, state } = await agent.job(id)
    assert.equal(state, 'running')
    assert.deepEqual([limits.memory, limits.processes], [64 * MB, 10])
    assert.ok(usage.memory! > 40 * MB && usage.memory! <= 64 * MB, JSON.stringify(usage))
    assert.ok(usage.cpu! > 0)
    await agent.cancel(id)
  })

  test('for all jobs together hold them even when none has any of its own', async t => {
    await machine.configure('Environment=AGENT_JOBS_MEMORY=128mb')
    const jobs = await Promise.all([agent.run(takeAndHold(80)), agent.run(takeAndHold(80))])
    t.diagnostic(jobs.map(job => outcomeOf(job).join(', ')).join('; '))
    assert.ok(jobs.some(job => job.reason === 'out-of-memory'))
    assert.equal(await machine.shell(`cat ${UNIT_CGROUP}/jobs/memory.max`), String(128 * MB))
    assert.equal((await agent.run('echo 1')).stdout, '1\n')
    await waitForNoGroups(machine)
  })

  test('need not be there for the unit to outlive a job that takes all memory of the machine', async t => {
    await machine.configure('')
    const pid = await machine.shell('systemctl show -P MainPID newdt-auto')
    const { id } = await agent.start(HOG)
    await waitFor('the job has ended', async () => (await agent.job(id)).state !== 'running', 600_000)
    const job = await agent.job(id)
    t.diagnostic(`${outcomeOf(job).join(', ')}, ${job.signal}`)
    assert.equal(job.state, 'failed')
    assert.equal(await machine.shell('systemctl show -P MainPID newdt-auto'), pid)
    assert.equal(await jobGroups(machine), '')
  })
})
