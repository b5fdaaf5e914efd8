import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { UNIT_CGROUP } from '../cgroups.ts'
import { createMachine } from '../machine.ts'

const machine = await createMachine()
const { agent } = machine

const RUN_AS = 'Environment=AGENT_RUN_AS=deploy,nobody'
/** What an agent that is not root needs, as it says itself. */
const CAPABILITIES = 'AmbientCapabilities=CAP_CHOWN CAP_KILL CAP_SETGID CAP_SETUID'
const DEPLOY = { user: 'deploy' }

describe('jobs of another user', () => {
  before(machine.boot)

  test('are refused where the agent may not change users, which is told', async t => {
    await machine.configure(RUN_AS)
    const { success, msg } = await agent.submit({ cmd: 'id', ...DEPLOY })
    t.diagnostic(msg)
    assert.equal(success, false)
  })

  for (const [who, ...settings] of [
    ['root', 'User=root'],
    ['an account with four capabilities', CAPABILITIES],
  ]) {
    describe(`by an agent that is ${who}`, () => {
      before(() => machine.configure(RUN_AS, ...settings))

      test('have its ids, groups and environment, are where it lives, and make files of its own', async () => {
        const job = await agent.run(
          'id; pwd; echo $HOME $USER $LOGNAME $SHELL; touch x; stat -c "%U %G" x; rm x; grep -E "^Cap(Prm|Eff|Inh|Amb)" /proc/self/status',
          DEPLOY,
        )
        const id = await machine.shell('id deploy')
        const none = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']
          .map(name => `${name}:\t0000000000000000\n`)
          .join('')
        assert.equal(
          job.stdout,
          `${id}\n/home/deploy\n/home/deploy deploy deploy /bin/bash\ndeploy deploy\n${none}`,
        )
        assert.equal(job.user, 'deploy')
      })

      test('run scripts, within limits', async () => {
        const { data } = await agent.submit({
          scriptName: 'x.sh',
          scriptType: 'shell',
          scriptContent: 'id -un; cat /proc/self/cgroup; ls -l "$0"',
          ...DEPLOY,
          limits: { memory: '64mb' },
        })
        assert.match((data as { stdout: string }).stdout, /^deploy\n.*\/jobs\/job-\d{16}\n-r\S*\s/s)
      })

      test('are of no user that is not allowed', async t => {
        for (const user of ['root', '0', '+0', 'newdt', 'daemon', 'a:b:c', 'deploy:root', 'deploy\0', '']) {
          const answer = await agent.submit({ cmd: 'id', user })
          assert.equal(answer.success, false, JSON.stringify(answer))
          if (user === 'root') t.diagnostic(answer.msg)
        }
      })

      test('reach nothing of the agent', async () => {
        const pid = await machine.shell('systemctl show -P MainPID newdt-auto')
        const attempts = [
          'cat /etc/newdt-auto.secret',
          'ls /var/lib/newdt-auto',
          `cat /proc/${pid}/environ`,
          `ls /proc/${pid}/fd`,
          `kill -0 ${pid}`,
          `echo 0 > ${UNIT_CGROUP}/agent/cgroup.procs`,
          `echo max > "/sys/fs/cgroup$(sed s/0:://  /proc/self/cgroup)/memory.max"`,
          'setpriv --reuid=0 true',
        ]
        const job = await agent.run(
          attempts
            .map(attempt => `(${attempt}) > /dev/null 2>&1 && echo '${attempt.replaceAll("'", '')}'`)
            .join('\n'),
          { ...DEPLOY, limits: { memory: '64mb' } },
        )
        assert.equal(job.stdout, '')
      })

      test('are ended by a cancel', async () => {
        const job = await agent.start(
          'trap "" TERM; (setsid sleep 2345 &); while :; do sleep 1; done',
          DEPLOY,
        )
        await machine.shell('sleep 2')
        assert.equal((await agent.cancel(job.id)).state, 'canceled')
        assert.equal(await machine.shell('pgrep -u deploy || true'), '')
      })
    })
  }
})
