import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { UNIT_CGROUP } from '../cgroups.ts'
import { createMachine } from '../machine.ts'

/** They do not end by themselves, and each in its own way does not want to be ended. */
const STUBBORN = [
  'sleep 1000',
  'trap "" TERM; while :; do sleep 1; done',
  'setsid env -i sh -c "trap \\"\\" TERM; sleep 1000; sleep 1000" & sleep 1000',
  // Out of its session, and without its mark and its parents.
  'ulimit -x unlimited; (setsid sh -c "sleep 1000 & sleep 0.1" > /dev/null 2>&1 &); sleep 1000',
]

const machine = await createMachine()

describe('the unit', () => {
  before(machine.boot)

  const mainPid = () => machine.shell('systemctl show -P MainPID newdt-auto')
  const processesOfNewdt = () => machine.shell('ps -u newdt -o pid=,args= || true')

  test('starts the agent at boot, which runs a job as the account newdt', async t => {
    const seconds = await machine.shell('systemd-analyze time --no-pager | head -1')
    t.diagnostic(seconds)
    const job = await machine.agent.run('id -un; pwd; cat /proc/self/cgroup')
    assert.equal(job.state, 'success')
    assert.match(job.stdout, /^newdt\n.*\n0::\/system\.slice\/newdt-auto\.service/)
    assert.equal(await machine.shell('systemctl show -P NRestarts newdt-auto'), '0')
  })

  test('is one that systemd has no word to say about', async () => {
    const unit = '/etc/systemd/system/newdt-auto.service'
    assert.equal(await machine.shell(`systemd-analyze verify ${unit}`), '')
  })

  test('has its secret in a file by which newdt asks', async () => {
    const said = await machine.shell(
      'AGENT_SECRET_FILE=/etc/newdt-auto.secret newdt run -- "echo hello; exit 3"; echo $?',
      120_000,
    )
    assert.equal(said, 'hello\n3')
  })

  test('gives every controller of cgroup v2 to the agent', async t => {
    const owner = await machine.shell(`stat -c %U ${UNIT_CGROUP} ${UNIT_CGROUP}/cgroup.subtree_control`)
    assert.equal(owner, 'newdt\nnewdt')
    const controllers = await machine.shell(`cat ${UNIT_CGROUP}/cgroup.controllers`)
    t.diagnostic(controllers)
    for (const name of ['cpu', 'io', 'memory', 'pids']) assert.ok(controllers.split(' ').includes(name), name)
  })

  test('drains the agent when it is reloaded: the job that runs ends by itself, then there is a new agent', async () => {
    const pid = await mainPid()
    const job = await machine.agent.start('sleep 8; echo whole')
    await machine.shell('systemctl reload newdt-auto')
    const refused = await machine.agent.submit({ cmd: 'true' })
    assert.equal(refused.error, 'draining')
    await machine.restarted(pid)
    const ended = await machine.agent.job(job.id)
    assert.deepEqual([ended.state, ended.stdout], ['success', 'whole\n'])
  })

  test('leaves no process when it is stopped while jobs run, and each of them is told why', async t => {
    const jobs = await Promise.all(STUBBORN.map(cmd => machine.agent.start(cmd)))
    await machine.shell('sleep 2')
    assert.match(await processesOfNewdt(), /sleep 1000/)
    const begin = performance.now()
    await machine.shell('systemctl stop newdt-auto')
    t.diagnostic(`stopped in ${((performance.now() - begin) / 1000).toFixed(1)} s`)
    assert.equal(await processesOfNewdt(), '')
    assert.equal(
      await machine.shell(`ls -d ${UNIT_CGROUP} 2>&1 || true`),
      `ls: cannot access '${UNIT_CGROUP}': No such file or directory`,
    )
    assert.equal(await machine.shell('systemctl show -P Result newdt-auto'), 'success')
    await machine.start()
    for (const { id } of jobs) {
      const { state, reason } = await machine.agent.job(id)
      assert.deepEqual([state, reason], ['canceled', 'agent-stopped'])
    }
  })

  test('starts an agent anew that was killed; nothing of its jobs lives, and they are told as lost', async () => {
    const jobs = await Promise.all(STUBBORN.map(cmd => machine.agent.start(cmd)))
    const pid = await mainPid()
    await machine.shell(`kill -9 ${pid}`)
    await machine.restarted(pid)
    assert.doesNotMatch(await processesOfNewdt(), /sleep/)
    for (const { id } of jobs) {
      const { state, reason } = await machine.agent.job(id)
      assert.deepEqual([state, reason], ['failed', 'agent-lost'])
    }
  })

  test('comes up again after a reboot, with the jobs from before; those that ran are told why they ended', async t => {
    const done = await machine.agent.run('echo before')
    const running = await machine.agent.start(STUBBORN[1]!)
    const begin = performance.now()
    await machine.reboot()
    t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s from the command to a ready agent`)
    assert.equal((await machine.agent.job(done.id)).stdout, 'before\n')
    const { state, reason } = await machine.agent.job(running.id)
    assert.deepEqual([state, reason], ['canceled', 'agent-stopped'])
  })

  test('ends in time when the machine is switched off', async t => {
    const running = await machine.agent.start(STUBBORN[1]!)
    const begin = performance.now()
    await machine.powerOff()
    t.diagnostic(`off in ${((performance.now() - begin) / 1000).toFixed(0)} s`)
    await machine.boot()
    assert.equal((await machine.agent.job(running.id)).reason, 'agent-stopped')
    assert.doesNotMatch(
      await machine.shell('journalctl -b -1 -o cat -u newdt-auto'),
      /Killing process|timed out/,
    )
  })
})
