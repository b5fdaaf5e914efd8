import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type AgentEndedError, createHome, type Home, ROOT, startAgent } from '../support/agent.ts'
import { findByText, know, lives } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'

// npm keeps one in the temporary directory, where the tests look for what the agent leaves behind.
const NO_COMPILE_CACHE = { NODE_DISABLE_COMPILE_CACHE: '1' }

describe('the life of an agent', () => {
  let home: Home
  beforeEach(() => {
    home = createHome()
  })
  afterEach(async () => {
    await home.assertClean()
    home.remove()
  })

  test('history survives a restart', async () => {
    const first = await startAgent(home)
    const done = await first.execute({ cmd: 'echo 你好; echo e >&2; exit 3' })
    assert.equal((await first.end()).code, 0)
    const second = await startAgent(home)
    assert.deepEqual(await second.job(done.id), done)
    const whole = { cmdTruncated: false, paramsTruncated: false, execCmdTruncated: false }
    assert.deepEqual((await second.call('/api/jobs')).data, [{ ...done, stdout: '', stderr: '', ...whole }])
    await second.end()
  })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`${signal} ends five running jobs, answers who waits for them, and exits 0`, async () => {
      const agent = await startAgent(home)
      const bodies = [
        { cmd: 'sleep 1000' },
        { cmd: 'setsid sleep 1000 & wait' },
        { scriptName: 'x.sh', scriptContent: 'sleep 1000', scriptType: 'shell' },
        { scriptName: 'x.py', scriptContent: 'import time; time.sleep(1000)', scriptType: 'python' },
      ]
      const ids: string[] = []
      for (const body of bodies) ids.push((await agent.execute({ ...body, async: true })).id)
      const waiting = agent.execute({ cmd: 'env -i setsid sleep 1000 & wait' })
      const watching = agent.job(ids[0]!, '?wait=10m')
      await waitFor('all run', async () => (await agent.call('/api/jobs/countOfRunningJobs')).data === 5)
      assert.equal((await agent.end(signal)).code, 0)
      assert.equal((await watching).reason, 'agent-stopped')
      const { state, reason, id } = await waiting
      assert.deepEqual([state, reason], ['canceled', 'agent-stopped'])

      const next = await startAgent(home)
      for (const ended of [...ids, id]) {
        const job = await next.job(ended)
        assert.deepEqual([job.state, job.reason], ['canceled', 'agent-stopped'])
      }
      await next.end()
    })
  }

  test('a second signal, later than a terminal and npm deliver the first, kills at once', async () => {
    const agent = await startAgent(home, { env: { AGENT_KILL_GRACE: '10m' } })
    const job = await agent.execute({
      cmd: "trap '' TERM; echo ready; while :; do sleep 0.01; done",
      async: true,
    })
    await waitFor('it ignores TERM', async () => (await agent.job(job.id)).stdout)
    process.kill(agent.pid, 'SIGINT')
    process.kill(agent.pid, 'SIGINT')
    // Signals go on until one of them comes late enough; the grace period is far longer than the deadline.
    await waitFor('the agent has ended', () => {
      if (agent.lives()) process.kill(agent.pid, 'SIGINT')
      return !agent.lives()
    })
    const { code, stdout } = await agent.ended
    assert.equal(code, 0)
    assert.match(stdout, /"signal":"SIGKILL","reason":"agent-stopped"/)
  })

  test('TERM ends it in order also when nobody reads its log any more', async () => {
    const agent = await startAgent(home)
    agent.child.stdout?.destroy()
    assert.equal((await agent.execute({ cmd: 'echo hello' })).stdout, 'hello\n')
    process.kill(agent.pid, 'SIGTERM')
    const [code, signal] = await once(agent.child, 'exit')
    assert.deepEqual([code, signal], [0, null])
  })

  test('while it stops it refuses new jobs and still tells of the old ones', async () => {
    const agent = await startAgent(home, { env: { AGENT_KILL_GRACE: '10m' } })
    const job = await agent.execute({
      cmd: "trap 'touch got-term' TERM; echo ready; until [ -e end ]; do sleep 0.01; done",
      cwd: home.path,
      async: true,
    })
    await waitFor('the trap is set', async () => (await agent.job(job.id)).stdout)
    process.kill(agent.pid, 'SIGTERM')
    await waitFor('it was asked to end', () => readdirSync(home.path).includes('got-term'))
    const response = await agent.fetch('/api/jobs/execute/cmd', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"cmd":"true"}',
    })
    assert.equal(response.status, 503)
    assert.equal((await agent.job(job.id)).state, 'running')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(home.path, 'end'), '')
    assert.equal((await agent.ended).code, 0)
  })

  test('a second agent on the same data directory exits at once and says why', async () => {
    const agent = await startAgent(home)
    const job = await agent.execute({ cmd: 'sleep 1000', async: true })
    await assert.rejects(startAgent(home), (error: AgentEndedError) => {
      assert.equal(error.code, 1)
      assert.equal(error.stderr, `newdt-auto: AGENT_DATA_DIR=${home.data}: in use by another agent\n`)
      return true
    })
    assert.equal((await agent.job(job.id)).state, 'running')
    await agent.end()
  })

  test('a port in use is told in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await waitFor('the port is taken', () => taken.listening)
    const { port } = taken.address() as { port: number }
    await assert.rejects(
      startAgent(home, { env: { AGENT_PORT: String(port) } }),
      (error: AgentEndedError) => {
        assert.equal(error.code, 1)
        assert.match(
          error.stderr,
          /^newdt-auto: AGENT_HOST=127\.0\.0\.1 AGENT_PORT=\d+: cannot listen: .*EADDRINUSE.*\n$/,
        )
        return true
      },
    )
    taken.close()
  })

  test('a data directory that cannot be is told in one line', async () => {
    await assert.rejects(
      startAgent(home, { env: { AGENT_DATA_DIR: '/dev/null/nope' } }),
      (error: AgentEndedError) => {
        assert.equal(error.code, 1)
        assert.match(error.stderr, /^newdt-auto: AGENT_DATA_DIR=\/dev\/null\/nope: cannot be written: .*\n$/)
        return true
      },
    )
  })

  test('all mistakes of a configuration are told at once, without the secret', async () => {
    const env = { AGENT_PORT: 'http', AGENT_KEEP: '-7d', AGENT_SECRET: '', AGENT_MAX_RUNNING: '0' }
    await assert.rejects(startAgent(home, { env }), (error: AgentEndedError) => {
      assert.equal(error.code, 1)
      const lines = error.stderr.trim().split('\n')
      for (const name of Object.keys(env))
        assert.equal(lines.filter(line => line.includes(` ${name}`)).length, 1, name)
      assert.equal(lines.length, 4)
      return true
    })
  })

  test('files are for the owner only, and a made-up secret is kept', async () => {
    const command: [string, ...string[]] = [
      'env',
      '-u',
      'AGENT_SECRET',
      process.execPath,
      join(ROOT, 'runtime/main.ts'),
    ]
    const read = async () => readFileSync(join(home.data, 'secret'), 'utf8')
    const agent = await startAgent(home, { command })
    const secret = await read()
    assert.match(secret, /^[0-9a-f]{48}\n$/)
    assert.match(agent.output().stdout, new RegExp(`"secretFile":"${home.data}/secret"`))
    assert.ok(!agent.output().stdout.includes(secret.trim()))
    assert.equal(statSync(home.data).mode & 0o777, 0o700)
    for (const file of readdirSync(home.data))
      assert.equal(statSync(join(home.data, file)).mode & 0o77, 0, file)
    await agent.end()
    const again = await startAgent(home, { command })
    assert.equal(await read(), secret)
    await again.end()
    await assert.rejects(
      startAgent(home, { command, env: { AGENT_HOST: '0.0.0.0' } }),
      /AGENT_HOST=0\.0\.0\.0/,
    )
  })

  test('newdt agent becomes the agent itself, so that ps shows it and signals reach it', async () => {
    const agent = await startAgent(home, { command: [join(ROOT, 'runtime/newdt'), 'agent'] })
    assert.equal(agent.pid, agent.child.pid)
    const shown = readFileSync(`/proc/${agent.pid}/cmdline`, 'latin1').split('\0')
    assert.ok(shown.includes(join(ROOT, 'runtime/main.ts')), shown.join(' '))
    await agent.execute({ cmd: 'sleep 1000', async: true })
    agent.child.kill('SIGINT')
    assert.equal((await agent.ended).code, 0)
  })

  test('npm start is ended by TERM', async () => {
    const agent = await startAgent(home, { command: ['npm', 'start'], env: NO_COMPILE_CACHE })
    await agent.execute({ cmd: 'sleep 1000', async: true })
    const processes = findByText(home.path)
    process.kill(agent.child.pid!, 'SIGTERM')
    await agent.ended
    await waitFor('npm, the agent and its job are gone', () => !processes.some(lives))
    assert.match(agent.output().stdout, /"msg":"stopped"/)
  })

  test('npm start is ended by Ctrl-C, which reaches the agent twice', async () => {
    // A process group of its own, as a terminal makes one; the group gets the signal, and npm passes it on.
    const agent = await startAgent(home, {
      command: ['setsid', '--wait', 'npm', 'start'],
      env: NO_COMPILE_CACHE,
    })
    const job = await agent.execute({
      cmd: "trap 'sleep 0.3; exit 0' TERM; echo ready; while :; do sleep 0.01; done",
      async: true,
    })
    await waitFor('the trap is set', async () => (await agent.job(job.id)).stdout)
    const leader = know(agent.pid)
    const stat = readFileSync(`/proc/${agent.pid}/stat`, 'latin1')
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
    process.kill(-group, 'SIGINT')
    await agent.ended
    assert.ok(!lives(leader))
    assert.match(agent.output().stdout, /"exitCode":0,"signal":"","reason":"agent-stopped"/)
    assert.match(agent.output().stdout, /"msg":"stopped"/)
  })
})
