import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, ROOT, type RunningAgent, SECRET, startAgent } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'

describe('what a job inherits', () => {
  const home = createHome()
  let agent: RunningAgent

  before(async () => {
    // A careless parent: a descriptor left open, a low limit on open files, an unusual umask, SIGPIPE ignored.
    const careless = `exec 9</etc/passwd; ulimit -Sn 123; umask 027; trap '' PIPE; "$0" "$1"; exit $?`
    agent = await startAgent(home, {
      command: ['bash', '-c', careless, process.execPath, join(ROOT, 'runtime/main.ts')],
      env: {
        npm_lifecycle_event: 'start',
        npm_config_x: '1',
        INIT_CWD: '/',
        NODE: 'x',
        COLOR: '0',
        KEPT: 'yes',
      },
    })
  })
  after(async () => {
    await agent.end()
    await home.assertClean()
    home.remove()
  })

  const run = async (cmd: string, body: object = {}) => (await agent.execute({ cmd, ...body })).stdout

  test('the limit on open files and the umask are those that the agent was started with', async () => {
    assert.equal(await run('ulimit -Sn; umask'), '123\n0027\n')
  })

  test('no descriptor but its three, and no signal is ignored', async () => {
    assert.equal(await run('ls /proc/self/fd | tr "\\n" " "'), '0 1 2 3 ')
    assert.equal(await run('grep SigIgn /proc/self/status'), 'SigIgn:\t0000000000000000\n')
  })

  test('the environment is the one of the agent, without its settings and what npm added', async () => {
    const env = Object.fromEntries(
      (await run('env -0')).split('\0').map(line => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    )
    assert.equal(env.KEPT, 'yes')
    assert.match(env.NEWDT_AUTO_JOB_ID, /^[0-9a-f]{32}$/)
    for (const name of Object.keys(env)) assert.doesNotMatch(name, /^(AGENT_|npm_|INIT_CWD$|NODE$|COLOR$)/)
  })

  test('a request may set any variable but the reserved ones', async () => {
    const env = {
      LD_PRELOAD: '',
      BASH_ENV: '/dev/null',
      NODE_OPTIONS: '-',
      IFS: ',',
      KEPT: 'no',
      PATH: '/bin:/usr/bin',
    }
    assert.equal(
      await run('echo "$BASH_ENV $NODE_OPTIONS $KEPT $PATH"', { env }),
      '/dev/null - no /bin:/usr/bin\n',
    )
    const { code } = await agent.call('/api/jobs/execute/cmd', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ cmd: 'true', env: { AGENT_SECRET: 'x' } }),
    })
    assert.equal(code, 400)
  })

  test('the secret is nowhere: not in a job, not in ps, not in the log', async () => {
    // A job runs as the agent's own user, so it sees what that user sees.
    const seen = await run(
      `env; ps eww -o args= -p ${agent.pid}; tr "\\0" "\\n" < /proc/${agent.pid}/environ`,
    )
    assert.match(seen, /KEPT=yes/)
    assert.ok(!seen.includes(SECRET))
    assert.ok(!readFileSync(`/proc/${agent.pid}/environ`, 'latin1').includes(SECRET))
    await agent.fetch('/api/jobs/nope?sign=a-signature&signAt=a-time')
    await waitFor('requests are logged', () => agent.output().stdout.includes('/api/jobs/nope'))
    const { stdout, stderr } = agent.output()
    assert.ok(!(stdout + stderr).includes(SECRET))
    assert.doesNotMatch(stdout + stderr, /a-signature|a-time|signAt/)
  })

  test('two hundred sync jobs by five clients leave no descriptor and no running job behind', async () => {
    const descriptors = () => readdirSync(`/proc/${agent.pid}/fd`).length
    await run('true')
    const before = descriptors()
    const client = async (): Promise<void> => {
      for (let count = 0; count < 40; count++) assert.equal(await run('echo ok'), 'ok\n')
    }
    await Promise.all([client(), client(), client(), client(), client()])
    assert.equal((await agent.call('/api/jobs/countOfRunningJobs')).data, 0)
    // Connections that the clients keep alive are descriptors too, until they have been idle for long enough.
    await waitFor('no descriptor is left', () => descriptors() <= before)
  })
})
