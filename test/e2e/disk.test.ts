import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import { createHome, type RunningAgent, startAgent } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'

const run = (file: string, ...args: string[]): boolean => spawnSync(file, args).status === 0

const statusOf = async (agent: RunningAgent): Promise<number> => {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"cmd":"true"}' }
  return (await agent.fetch('/api/jobs/execute/cmd', init)).status
}

describe('a disk without space', () => {
  const home = createHome()
  mkdirSync(home.data)
  const canMount =
    process.getuid?.() === 0 && run('mount', '-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', home.data)

  test('refuses jobs with a clear error, tells true ends, and is recovered from without a restart', {
    skip: !canMount,
  }, async t => {
    t.after(() => {
      run('umount', home.data)
      home.remove()
    })
    const agent = await startAgent(home)
    const running = await agent.execute({ cmd: 'sleep 0.5; exit 5', cwd: home.path, async: true })
    const flood = await agent.execute({ cmd: 'head -c 40000000 /dev/zero; echo end >&2; exit 7' })
    assert.deepEqual([flood.state, flood.exitCode, flood.stdoutBytes], ['failed', 7, 40_000_000])
    assert.ok(flood.droppedBytes > 0)
    await waitFor('jobs are refused', async () => (await statusOf(agent)) === 503)
    const { code, error } = await agent.call('/api/jobs/execute/cmd', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"cmd":"true"}',
    })
    // Whichever of the two is the first that finds no room.
    assert.ok(code === 503 && ['not-stored', 'not-recorded'].includes(error!), `${code} ${error}`)
    assert.equal((await agent.job(running.id, '?wait=10s&output=false')).exitCode, 5)
    assert.equal((await agent.call('/healthz')).data, 'up')

    // What was answered is still so after the worst end.
    await agent.end('SIGKILL')
    const next = await startAgent(home)
    const again = await next.job(flood.id)
    assert.deepEqual([again.state, again.exitCode, again.reason], ['failed', 7, 'exited'])

    assert.ok(run('mount', '-o', 'remount,size=64m', home.data))
    await waitFor('jobs are run again', async () => (await statusOf(next)) === 200)
    assert.equal((await next.execute({ cmd: 'echo fine' })).stdout, 'fine\n')
    await next.end()
    await home.assertClean()
  })
})

describe('a disk that the history of jobs itself has filled', () => {
  const home = createHome()
  mkdirSync(home.data)
  const canMount =
    process.getuid?.() === 0 && run('mount', '-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', home.data)

  test('loses no end that a client was told of, and has room again when less is to be kept', {
    skip: !canMount,
  }, async t => {
    t.after(() => {
      run('umount', home.data)
      home.remove()
    })
    const agent = await startAgent(home, { env: { AGENT_MAX_RUNNING: '10' } })
    const told: string[] = []
    const runUntilFull = async (): Promise<void> => {
      for (;;) {
        const job = await agent.execute({ cmd: 'head -c 300000 /dev/urandom | base64 -w0', cwd: home.path })
        if (!job) return // 503
        if (job.state === 'success') told.push(job.id)
      }
    }
    await Promise.all(Array.from({ length: 8 }, runUntilFull))
    assert.ok(told.length > 20, `${told.length} jobs`)
    assert.deepEqual((await agent.call('/api/jobs?state=running')).data, [])
    await agent.end()

    const next = await startAgent(home)
    for (const id of told) assert.equal((await next.job(id, '?output=false')).state, 'success')
    await next.end()

    const last = await startAgent(home, { env: { AGENT_KEEP_BYTES: '1mb' } })
    // Room is made step by step: one job that runs does not mean that the next has room at once.
    await waitFor('jobs are run again', async () => {
      const job = (await last.execute({ cmd: 'echo fine' })) as JobJson | null
      return job?.stdout === 'fine\n'
    })
    assert.equal((await last.end()).code, 0)
    await home.assertClean()
  })
})

describe('a disk that others have filled', () => {
  const home = createHome()
  mkdirSync(home.data)
  const canMount =
    process.getuid?.() === 0 && run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', home.data)

  test('keeps no agent from starting, however the one before has ended, and it tells of all jobs', {
    skip: !canMount,
  }, async t => {
    t.after(() => {
      run('umount', home.data)
      home.remove()
    })
    const told: JobJson[] = []
    const others = join(home.data, 'others')
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const agent = await startAgent(home)
      for (let n = 0; n < 5; n++) told.push(await agent.execute({ cmd: `echo ${n}; exit ${n}` }))
      if (signal === 'SIGTERM') assert.ok(fill(others))
      await agent.end(signal)
      fill(others)
      const next = await startAgent(home)
      for (const job of told) assert.deepEqual(await next.job(job.id), job)
      const listed = (await next.call('/api/jobs?limit=100')).data as JobJson[]
      assert.deepEqual(
        listed.map(({ id }) => id).reverse(),
        told.map(({ id }) => id),
      )
      rmSync(others)
      await waitFor('jobs are run again', async () => (await statusOf(next)) === 200)
      await waitFor('none runs', async () => (await next.call('/api/jobs/countOfRunningJobs')).data === 0)
      const [newest] = (await next.call('/api/jobs?limit=1')).data as JobJson[]
      told.push(await next.job(newest!.id))
      await next.end()
    }
    await home.assertClean()
  })
})

/** Takes all room that is left; whether there was any. */
const fill = (path: string): boolean => {
  const chunk = Buffer.alloc(4096, 1)
  let written = 0
  try {
    for (;;) {
      appendFileSync(path, chunk)
      written += chunk.length
    }
  } catch {
    return written > 0
  }
}
