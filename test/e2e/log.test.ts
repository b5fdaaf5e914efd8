import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createHome, ROOT, SECRET, sign, startAgent, withoutAgentSettings } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'

/** Runs the agent on a terminal that nobody reads; prints the address that the agent's log begins with. */
const UNREAD_TERMINAL = `
import os, pty, re, signal, sys
parent, terminal = pty.openpty()
agent = os.fork()
if agent == 0:
    os.setsid()
    for fd in (0, 1): os.dup2(terminal, fd)
    os.execv(sys.argv[1], sys.argv[1:])
os.close(terminal)
text = b""
while True:
    text += os.read(parent, 4096)
    found = re.search(rb"http://127[0-9.]+:[0-9]+", text)
    if found: break
print(found.group().decode(), agent, flush=True)
_, status = os.waitpid(agent, 0)
print("ended", flush=True)
`

describe('the log', () => {
  const homes: ReturnType<typeof createHome>[] = []
  const newHome = () => {
    const home = createHome()
    homes.push(home)
    return home
  }
  after(() => {
    for (const home of homes) home.remove()
  })

  test('a terminal that nobody reads holds up neither requests nor the end', async t => {
    const home = newHome()
    const main = [process.execPath, join(ROOT, 'runtime/main.ts')]
    const child = spawn('python3', ['-c', UNREAD_TERMINAL, ...main], {
      cwd: ROOT,
      env: {
        ...withoutAgentSettings(process.env),
        TMPDIR: home.temporary,
        AGENT_DATA_DIR: home.data,
        AGENT_PORT: '0',
        AGENT_SECRET: SECRET,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    const [, url, pid] = await waitFor('the agent listens', () => /^(\S+) (\d+)$/m.exec(output))
    t.after(() => {
      if (!output.includes('ended')) process.kill(Number(pid), 'SIGKILL')
    })
    for (let request = 0; request < 1000; request++) {
      const signal = AbortSignal.timeout(15_000)
      const answer = await fetch(`${url}/api/jobs/countOfRunningJobs`, { headers: sign(), signal })
      assert.equal(((await answer.json()) as { data: number }).data, 0)
    }
    process.kill(Number(pid), 'SIGTERM')
    await waitFor('the agent has ended', () => output.includes('ended'))
    await once(child, 'close')
    await home.assertClean()
  })

  test('an agent whose log nobody can read any more ends in order', async () => {
    const home = newHome()
    const agent = await startAgent(home)
    agent.child.stdout?.destroy()
    for (let request = 0; request < 20; request++) await agent.call('/api/jobs/countOfRunningJobs')
    const id = (await agent.execute({ cmd: 'sleep 1000', async: true })).id
    assert.ok(id)
    process.kill(agent.pid, 'SIGTERM')
    const [code, signal] =
      agent.child.exitCode === null ? await once(agent.child, 'exit') : [agent.child.exitCode]
    assert.deepEqual([code, signal ?? null], [0, null])
    await home.assertClean()
  })

  for (const [how, change] of [['deleted', (data: string) => rmSync(data, { recursive: true })]] as const) {
    test(`a data directory that is ${how} is noticed: no new job, the running one ends, then the agent`, async () => {
      const home = newHome()
      const agent = await startAgent(home)
      const running = agent.execute({ cmd: `while [ ! -e ${home.path}/go ]; do sleep 0.05; done; echo done` })
      await waitFor('it runs', async () => (await agent.call('/api/jobs/countOfRunningJobs')).data === 1)
      change(home.data)
      await waitFor('new jobs are refused', async () => {
        const answer = await agent.call('/api/jobs/execute/cmd', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{"cmd":"true"}',
        })
        return answer.code === 503
      })
      assert.equal(existsSync(home.data), false)
      spawn('touch', [join(home.path, 'go')])
      assert.equal((await running).stdout, 'done\n')
      assert.equal((await agent.ended).code, 1)
      assert.match(agent.output().stdout, /THE DATA DIRECTORY IS GONE/)
      await home.assertClean()
    })
  }
})
