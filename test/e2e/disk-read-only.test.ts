import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createHome, type Home, ROOT, type RunningAgent, startAgent } from '../support/agent.ts'
import { createExt4Disk } from '../support/ext4-disk.ts'
import { createFailingDisk } from '../support/failing-disk.ts'
import { waitFor } from '../support/wait-for.ts'

const POST = { method: 'POST', headers: { 'Content-Type': 'application/json' } }

const statusOfSubmission = async (agent: RunningAgent): Promise<number> => {
  const { status, body } = await agent.fetch('/api/jobs/execute/cmd', { ...POST, body: '{"cmd":"true"}' })
  await body?.cancel()
  return status
}

const countRunning = async (agent: RunningAgent): Promise<unknown> =>
  (await agent.call('/api/jobs/countOfRunningJobs')).data

/** Seconds of processor time that a process has used. */
const processorTime = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Two jobs that end when they are told to: one somebody waits for, one nobody does. */
const startJobs = async (home: Home, agent: RunningAgent, name: string) => {
  const go = `${home.path}/go-${name}`
  const begun = (code: number) => `${go}-begun-${code}`
  const cmd = (code: number) => `touch ${begun(code)}; until [ -e ${go} ]; do sleep 0.02; done; exit ${code}`
  const unattended = await agent.execute({ cmd: cmd(5), cwd: home.path, async: true })
  const attended = agent.execute({ cmd: cmd(6), cwd: home.path })
  // One that has a slot may not have been recorded yet.
  await waitFor('both jobs run', () => existsSync(begun(5)) && existsSync(begun(6)))
  return { unattended, attended, go }
}

/** SIGTERM ends the agent in order, and in less than two seconds of processor time. */
const endWithoutSpinning = async (agent: RunningAgent): Promise<void> => {
  const before = processorTime(agent.pid)
  let used = 0
  agent.child.kill('SIGTERM')
  const ended = agent.ended
  await waitFor(
    'the agent ends',
    async () => {
      try {
        used = processorTime(agent.pid) - before
      } catch {
        return true // Reaped.
      }
      return agent.child.exitCode !== null
    },
    30_000,
  )
  assert.equal((await ended).code, 0)
  assert.ok(used < 2, `it has used ${used} s of processor time to end`)
}

for (const error of ['EROFS', 'EIO'] as const) {
  describe(`a data disk that fails with ${error}`, () => {
    const home = createHome()
    const disk = createFailingDisk(home.path, home.data)
    const skip = !disk && 'no C compiler'

    test('tells true ends, frees slots, refuses jobs, and stores the ends when it can be written again', {
      skip,
    }, async () => {
      const agent = await startAgent(home, { env: disk!.env })
      const { unattended, attended, go } = await startJobs(home, agent, 'heals')
      disk!.fail(error)
      writeFileSync(go, '')
      const told = await attended
      assert.deepEqual([told.state, told.exitCode, told.reason], ['failed', 6, 'exited'])
      await waitFor('the slots are free', async () => (await countRunning(agent)) === 0)
      assert.equal((await agent.job(unattended.id)).exitCode, 5)
      assert.equal(await statusOfSubmission(agent), 503)

      disk!.heal()
      await waitFor('jobs are run again', async () => (await statusOfSubmission(agent)) === 200)
      assert.equal((await agent.end()).code, 0)
      const next = await startAgent(home, { env: disk!.env })
      for (const [id, code] of [
        [unattended.id, 5],
        [told.id, 6],
      ] as const) {
        const { exitCode, reason } = await next.job(id)
        assert.deepEqual([exitCode, reason], [code, 'exited'])
      }
      assert.equal((await next.end()).code, 0)
      await home.assertClean()
    })

    test('lets SIGTERM end the agent in time, with exit status 0 and without spinning', {
      skip,
    }, async () => {
      const agent = await startAgent(home, { env: disk!.env })
      const { attended, go } = await startJobs(home, agent, 'ends')
      const other = await agent.execute({ cmd: 'sleep 1000', cwd: home.path, async: true })
      disk!.fail(error)
      writeFileSync(go, '')
      assert.equal((await attended).exitCode, 6)
      await waitFor('one job runs', async () => (await countRunning(agent)) === 1)
      await endWithoutSpinning(agent)
      disk!.heal()

      // Whose end could not be stored is at least not running any more.
      const next = await startAgent(home, { env: disk!.env })
      assert.notEqual((await next.job(other.id)).state, 'running')
      assert.equal((await next.end()).code, 0)
      await home.assertClean()
      home.remove()
    })
  })
}

describe('an ext4 that the kernel turns read-only', () => {
  const home = createHome()
  const disk = createExt4Disk(home.path, home.data)
  const skip = !disk && 'nobody may mount a file system here'

  test('tells true ends, frees slots, refuses jobs, ends in order, and starts again once it is mounted anew', {
    skip,
  }, async () => {
    const command = disk!.command(process.execPath, join(ROOT, 'runtime/main.ts'))
    await disk!.unmounted()
    const agent = await startAgent(home, { command })
    const { unattended, attended, go } = await startJobs(home, agent, 'ext4')
    disk!.fail()
    writeFileSync(go, '')
    const told = await attended
    assert.deepEqual([told.state, told.exitCode, told.reason], ['failed', 6, 'exited'])
    await waitFor('the slots are free', async () => (await countRunning(agent)) === 0)
    assert.equal((await agent.job(unattended.id)).exitCode, 5)
    await waitFor('jobs are refused', async () => (await statusOfSubmission(agent)) === 503)
    await endWithoutSpinning(agent)

    await disk!.unmounted()
    const next = await startAgent(home, { command })
    // As after a loss of power, the file system may have lost what was written last: no job, but no wrong one either.
    const { data: jobs } = await next.call('/api/jobs')
    for (const { state } of jobs as { state: string }[]) assert.notEqual(state, 'running')
    assert.equal(await statusOfSubmission(next), 200)
    assert.equal((await next.end()).code, 0)
    await disk!.unmounted()
    await home.assertClean()
    home.remove()
  })
})
