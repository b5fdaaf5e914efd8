import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { waitFor } from '../../support/wait-for.ts'
import { jobGroups, UNIT_CGROUP, waitForNoGroups } from '../cgroups.ts'
import { createMachine } from '../machine.ts'

const machine = await createMachine()
const { agent } = machine

/** A process that is nobody's child, in a session of its own, whose mark PAM has taken away. */
const DAEMON = `su deploy -s /bin/sh -c 'setsid sh -c "sleep 4321 &"' > /dev/null 2>&1`
const LIMITS = { limits: { memory: '64mb' } }
const daemons = () => machine.shell('pgrep -f "^sleep 4321" || true')

describe('control groups of jobs', () => {
  before(async () => {
    await machine.boot()
    await machine.configure('User=root')
  })

  test('find a daemon that su has started, where nothing else does', async () => {
    const without = await agent.start(`${DAEMON}; sleep 1000`)
    await waitFor('the daemon is there', daemons, 60_000)
    await agent.cancel(without.id)
    const pid = await daemons()
    assert.notEqual(pid, '', 'without limits it is lost, as docs/internals.md says')
    await machine.shell(`kill ${pid}`)

    const job = await agent.start(`${DAEMON}; sleep 1000`, LIMITS)
    await waitFor('the daemon is there', daemons, 60_000)
    assert.equal((await agent.cancel(job.id)).state, 'canceled')
    assert.equal(await daemons(), '')
    await waitForNoGroups(machine)
  })

  test('of a job that leaves a daemon stay with it, and go when it goes', async () => {
    const job = await agent.run(DAEMON, LIMITS)
    assert.deepEqual([job.state, job.leftovers], ['success', 1])
    assert.match(await jobGroups(machine), /job-\d{16}$/)
    await machine.shell(`kill ${await daemons()}`)
    await waitForNoGroups(machine)
  })

  test('of a hundred jobs are gone with them', async () => {
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 10 }, () => agent.run('true', LIMITS)))
    }
    await waitForNoGroups(machine)
  })

  test('are gone when the agent was killed, and so are the daemons', async () => {
    const pid = await machine.shell('systemctl show -P MainPID newdt-auto')
    const job = await agent.start(`${DAEMON}; sleep 1000`, LIMITS)
    await waitFor('the daemon is there', daemons, 60_000)
    await machine.shell(`kill -9 ${pid}`)
    await machine.restarted(pid)
    assert.deepEqual([await jobGroups(machine), await daemons()], ['', ''])
    assert.equal((await agent.job(job.id)).reason, 'agent-lost')
    assert.equal((await agent.run('true', LIMITS)).state, 'success')
  })

  test('are gone when systemd kills nothing but the agent: the guardian ends what is in them', async () => {
    await machine.configure('User=root', 'KillMode=process')
    const pid = await machine.shell('systemctl show -P MainPID newdt-auto')
    await agent.start(`${DAEMON}; sleep 1000`, LIMITS)
    await waitFor('the daemon is there', daemons, 60_000)
    await machine.shell(`kill -9 ${pid}`)
    await machine.restarted(pid)
    assert.deepEqual([await jobGroups(machine), await daemons()], ['', ''])
    assert.equal((await agent.run('true', LIMITS)).state, 'success')
    await machine.configure('User=root')
  })

  test('are gone when the unit is stopped, with all of the unit', async () => {
    const job = await agent.start(`${DAEMON}; sleep 1000`, LIMITS)
    await waitFor('the daemon is there', daemons, 60_000)
    await machine.shell('systemctl stop newdt-auto')
    assert.equal(await machine.shell(`ls -d ${UNIT_CGROUP} 2> /dev/null || true`), '')
    assert.equal(await daemons(), '')
    await machine.start()
    assert.equal((await agent.job(job.id)).reason, 'agent-stopped')
  })

  test('are gone after a power-off and after a power cut', async () => {
    for (const end of [machine.powerOff, machine.powerCut]) {
      await agent.start(`${DAEMON}; sleep 1000`, LIMITS)
      await waitFor('the daemon is there', daemons, 60_000)
      await machine.shell('sync')
      await end()
      await machine.boot()
      assert.deepEqual([await jobGroups(machine), await daemons()], ['', ''])
      assert.deepEqual((await agent.call('/api/jobs?state=running')).data, [])
      assert.equal((await agent.run('true', LIMITS)).state, 'success')
    }
  })
})
