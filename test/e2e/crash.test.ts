import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import { createHome, type RunningAgent, scriptsOf, startAgent } from '../support/agent.ts'
import { findByText } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'

const JOBS = [
  { cmd: 'echo 1; sleep 1000', async: true },
  { cmd: 'env -i setsid sh -c "sleep 1000 <&- >&- 2>&- &"; echo 1; sleep 1000', async: true },
  { scriptName: 'x.sh', scriptContent: 'echo 1; sleep 1000', scriptType: 'shell', async: true },
  { cmd: 'echo 1' },
  { cmd: 'while :; do echo 1; sleep 0.01; done', async: true },
]

/** Three clients submit jobs until the agent is gone; what it answers is added to `answered`. */
const load = async (agent: RunningAgent, answered: JobJson[]): Promise<void> => {
  const client = async (): Promise<void> => {
    for (let index = 0; ; index++) answered.push(await agent.execute(JOBS[index % JOBS.length]!))
  }
  await Promise.allSettled([client(), client(), client()])
}

describe('an agent that is killed', () => {
  test('in twenty rounds under load loses no job that it answered for, and leaves nothing running', async () => {
    const home = createHome()
    const known = new Map<string, JobJson>()
    for (let round = 0; round < 20; round++) {
      const agent = await startAgent(home, { env: { AGENT_MAX_RUNNING: '1000' } })
      for (const [id, before] of known) {
        const job = await agent.job(id)
        assert.equal(job.pid, before.pid)
        if (before.state !== 'running') assert.deepEqual(job, before)
        else {
          assert.deepEqual([job.state, job.reason, job.error], ['failed', 'agent-lost', 'agent was lost'])
          assert.ok(Date.parse(job.finishTime) >= Date.parse(job.startTime))
          assert.match(job.stdout, /^(1\n)*$/)
        }
      }
      assert.equal((await agent.call('/api/jobs?state=running')).data?.toString(), '')
      assert.deepEqual(
        findByText(home.path).map(({ pid }) => pid),
        [agent.pid],
      )
      assert.deepEqual([...readdirSync(home.temporary), ...scriptsOf(home)], [])
      known.clear()

      const answered: JobJson[] = []
      const loading = load(agent, answered)
      await waitFor('jobs have been answered for', () => answered.length > 20)
      await agent.end('SIGKILL')
      await loading
      for (const job of answered) known.set(job.id, job)
      assert.ok([...known.values()].some(({ state }) => state === 'running'))

      const database = new DatabaseSync(join(home.data, 'newdt-auto.db'))
      assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
      database.close()
    }
    await (await startAgent(home)).end()
    await home.assertClean()
    home.remove()
  })

  test('with a corrupt database starts anew, moves the old file aside and says so', async () => {
    const home = createHome()
    await (await startAgent(home)).end()
    const path = join(home.data, 'newdt-auto.db')
    writeFileSync(path, 'no database'.repeat(1000))
    const agent = await startAgent(home)
    assert.equal((await agent.execute({ cmd: 'true' })).state, 'success')
    const aside = readdirSync(home.data).filter(file => file.includes('corrupt'))
    assert.equal(aside.length, 1)
    assert.match(agent.output().stdout, /"level":50.*CORRUPT/)
    await agent.end()
    await home.assertClean()
    home.remove()
  })
})
