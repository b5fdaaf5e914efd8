import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import { createHome, type Home, ROOT, type RunningAgent, startAgent } from '../support/agent.ts'
import { allPids, findByText, zombieChildren } from '../support/proc.ts'
import { shapes } from '../support/shapes.ts'
import { waitFor } from '../support/wait-for.ts'

const MAIN = join(ROOT, 'runtime/main.ts')
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const can = (file: string, ...args: string[]): boolean => spawnSync(file, args).status === 0

/** Starts every shape of job, cancels all, and sees nothing of them left. */
const cancelEveryShape = async (agent: RunningAgent, directory: string): Promise<void> => {
  for (const [index, [name]] of shapes('').entries()) {
    const text = `${agent.child.pid}${index}`
    const [, cmd] = shapes(text)[index]!
    const { id } = await agent.execute({ cmd, env: { T: join(directory, `a) R 1 (b${index}`) }, async: true })
    await waitFor(`${name} is ready`, async () => (await agent.job(id)).stdout.includes('ready'))
    const { code } = await agent.call(`/api/jobs/${id}/cancel`, { method: 'POST' })
    assert.equal(code, 0, name)
    assert.deepEqual(findByText(text), [], name)
  }
}

const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] as const

/** One that an ordinary user may write. */
const homeOfNobody = (): Home => {
  const home = createHome()
  for (const path of [home.path, home.temporary]) chownSync(path, NOBODY, NOBODY)
  chmodSync(home.path, 0o755)
  return home
}

describe('an agent', () => {
  const options = { env: { AGENT_KILL_GRACE: '300ms' } }

  test('of an ordinary user stops every shape of job, and so does its guardian', {
    skip: !isRoot,
  }, async () => {
    const home = homeOfNobody()
    const agent = await startAgent(home, { ...options, command: [...AS_NOBODY, process.execPath, MAIN] })
    assert.equal((await agent.execute({ cmd: 'id -u; cat /proc/self/oom_score_adj' })).stdout, '65534\n300\n')
    // Its jobs have the same account, and may still not read its memory.
    const peek = await agent.execute({
      cmd: `for file in environ mem maps; do cat /proc/${agent.pid}/$file >/dev/null && echo $file; done; cat /proc/$$/environ | wc -l`,
    })
    assert.equal(peek.stdout, '0\n')
    await cancelEveryShape(agent, home.path)
    await agent.execute({ cmd: 'env -i setsid sleep 1000 & sleep 1000', async: true })
    await agent.end('SIGKILL')
    await waitFor('nothing is left', () => findByText(home.path).length === 0)
    home.remove()
  })

  test('whose job has become another user’s says that it may not signal it, and tells what survives a cancel', {
    skip: !isRoot,
  }, async () => {
    const home = homeOfNobody()
    const agent = await startAgent(home, { ...options, command: [...AS_NOBODY, process.execPath, MAIN] })
    // What sudo does, without a password: the program belongs to root and has the set-user-ID bit.
    const becomeRoot = join(home.path, 'become-root')
    copyFileSync('/usr/bin/setpriv', becomeRoot)
    chmodSync(becomeRoot, 0o4755)
    const cmd = `exec ${becomeRoot} --reuid=0 bash -c 'echo ready; exec sleep 1000'`
    const { id } = await agent.execute({ cmd, async: true })
    await waitFor('it has become root', async () => (await agent.job(id)).stdout === 'ready\n')
    const { pid } = await agent.job(id)
    try {
      for (const to of ['leader', 'all']) {
        const answer = await agent.call(`/api/jobs/${id}/signal`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ signal: 'HUP', to }),
        })
        assert.deepEqual([answer.code, answer.error], [409, 'signal-not-permitted'], to)
      }
      const canceled = (await agent.call(`/api/jobs/${id}/cancel`, { method: 'POST' })).data as JobJson
      assert.deepEqual([canceled.state, canceled.survivors], ['canceled', [{ pid, command: 'sleep' }]])
    } finally {
      process.kill(pid, 'SIGKILL')
      await agent.end()
    }
    await home.assertClean()
    home.remove()
  })

  for (const [what, mode] of [
    ['read', 0o711],
    ['enter', 0o700],
  ] as const) {
    test(`that stands where it may not ${what} starts, and runs jobs here and there`, {
      skip: !isRoot,
    }, async () => {
      const home = homeOfNobody()
      const own = mkdtempSync(join(tmpdir(), 'test-newdt-'))
      chmodSync(own, mode)
      const inside = ['sh', '-c', `cd ${own} && exec "$@"`, 'sh'] as const
      const agent = await startAgent(home, {
        ...options,
        command: [...inside, ...AS_NOBODY, process.execPath, MAIN],
      })
      try {
        assert.equal((await agent.execute({ cmd: 'pwd', cwd: '/usr' })).stdout, '/usr\n')
        assert.equal((await agent.execute({ cmd: 'pwd' })).stdout, mode === 0o711 ? `${own}\n` : '/\n')
      } finally {
        await agent.end()
        rmSync(own, { recursive: true })
      }
      await home.assertClean()
      home.remove()
    })
  }

  const namespace = ['--pid', '--fork', '--mount-proc', '--kill-child']
  const canBeInit = isRoot && can('unshare', ...namespace, 'true')
  test('that is process 1 of a container stops every shape of job and reaps all orphans', {
    skip: !canBeInit,
  }, async () => {
    const home = createHome()
    mkdirSync(home.data)
    const agent = await startAgent(home, {
      ...options,
      command: ['unshare', ...namespace, process.execPath, MAIN],
    })
    assert.equal((await agent.execute({ cmd: 'echo $PPID' })).stdout, '1\n')
    await agent.execute({ cmd: '(setsid sleep 0.1 &) ; (env -i setsid sleep 0.2 &); sleep 0.1 & true' })
    // Not a job's: handed to process 1 by the kernel, without any mark.
    await agent.execute({ cmd: 'ulimit -S -x unlimited; (setsid sleep 0.1 &)' })
    const init = allPids().find(pid => {
      const status = statusOf(pid)
      return /^NSpid:\t\d+\t1$/m.test(status) && status.includes(`PPid:\t${agent.child.pid}\n`)
    })!
    await waitFor('every orphan is reaped', () => zombieChildren(init).length === 0)
    await cancelEveryShape(agent, home.path)
    await waitFor('every process of the jobs is reaped', () => zombieChildren(init).length === 0)
    const { stdout } = await agent.execute({ cmd: 'ps -eo stat= | grep -c Z' })
    assert.equal(stdout, '0\n')
    process.kill(init, 'SIGTERM')
    const { code } = await agent.ended
    assert.equal(code, 0)
    await home.assertClean()
    home.remove()
  })
})

const statusOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
