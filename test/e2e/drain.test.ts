import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { createHome, type RunningAgent, startAgent } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'

const POST = { method: 'POST', headers: { 'Content-Type': 'application/json' } }

const WAYS: [name: string, drain: (agent: RunningAgent) => Promise<unknown>][] = [
  ['SIGUSR2', async agent => process.kill(agent.pid, 'SIGUSR2')],
  ['POST /api/agent/drain', agent => agent.call('/api/agent/drain', { method: 'POST' })],
]

const ready = async (agent: RunningAgent) => {
  const response = await fetch(`${agent.url}/readyz`)
  const { msg } = (await response.json()) as { msg: string }
  return [response.status, msg]
}

const oneRuns = (agent: RunningAgent): Promise<unknown> =>
  waitFor('the job runs', async () => (await agent.call('/api/jobs/countOfRunningJobs')).data === 1)

describe('an agent that drains', () => {
  for (const [name, drain] of WAYS) {
    test(`by ${name} takes no new job, lets the running one end, and exits with 0`, async () => {
      const home = createHome()
      const agent = await startAgent(home)
      assert.deepEqual(await ready(agent), [200, ''])
      const go = `${home.path}/go`
      const attended = agent.execute({
        cmd: `until [ -e ${go} ]; do sleep 0.02; done; echo done`,
        cwd: home.path,
      })
      await oneRuns(agent)
      await drain(agent)
      // A signal is handled some time after it was sent, unlike the request.
      await waitFor('the agent drains', async () => (await ready(agent))[0] === 503)
      await drain(agent)
      const refused = await agent.fetch('/api/jobs/execute/cmd', { ...POST, body: '{"cmd":"true"}' })
      assert.equal(refused.status, 503)
      assert.equal(((await refused.json()) as { error: string }).error, 'draining')
      assert.deepEqual(await ready(agent), [503, '未就绪：draining'])
      writeFileSync(go, '')
      const told = await attended
      assert.deepEqual([told.state, told.reason, told.stdout], ['success', 'exited', 'done\n'])
      const { code } = await agent.ended
      assert.equal(code, 0)
      await home.assertClean()
      home.remove()
    })
  }

  test('ends at once when no job runs', async () => {
    const home = createHome()
    const agent = await startAgent(home)
    process.kill(agent.pid, 'SIGUSR2')
    assert.equal((await agent.ended).code, 0)
    home.remove()
  })

  test('stops what runs after the time that it was given, as with TERM', async () => {
    const home = createHome()
    const agent = await startAgent(home, { env: { AGENT_DRAIN_TIMEOUT: '100ms', AGENT_KILL_GRACE: '1h' } })
    const attended = agent.execute({ cmd: 'exec sleep 1000', cwd: home.path })
    await oneRuns(agent)
    process.kill(agent.pid, 'SIGUSR2')
    const told = await attended
    assert.deepEqual([told.state, told.reason, told.signal], ['canceled', 'agent-stopped', 'SIGTERM'])
    assert.equal((await agent.ended).code, 0)
    await home.assertClean()
    home.remove()
  })
})
