import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type RunningAgent, SECRET, startAgent } from '../../support/agent.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'
import { waitFor } from '../../support/wait-for.ts'

const home = createHome()
let agent: RunningAgent
let env: Record<string, string>

before(async () => {
  agent = await startAgent(home)
  env = { NEWDT_HOST: agent.url, NEWDT_SECRET: SECRET }
})
after(() => agent.end())

const idIn = (text: string): string => /[0-9a-f]{32}/.exec(text)![0]
const CTRL_C = '\u0003'

describe('Ctrl-C', () => {
  test('leaves the job to run on, and says how to find and end it', async () => {
    const live = startNewdt(['run', '--', 'echo begun; sleep 300'], { env, terminal: true })
    await live.printed(/begun/)
    live.type(CTRL_C)
    const { code, stdout } = await live.ended
    assert.equal(code, 130)
    assert.match(
      stdout.toString(),
      /newdt: detached, the job goes on: newdt logs -f (\w{32}), newdt cancel \1\r\n$/,
    )
    const id = idIn(stdout.toString())
    assert.equal((await agent.job(id)).state, 'running')
    assert.equal((await newdt(['cancel', id], { env })).code, 0)
    assert.equal((await agent.job(id)).state, 'canceled')
  })

  test('with --rm cancels the job, shows its last words, and ends as it does', async () => {
    const command = "trap 'echo last words; exit 5' TERM; echo begun; sleep 300 & wait"
    const live = startNewdt(['run', '--rm', '--', command], { env, terminal: true })
    await live.printed(/begun/)
    live.type(CTRL_C)
    const { code, stdout } = await live.ended
    assert.equal(code, 5)
    assert.match(stdout.toString(), /last words\r\nnewdt: job \w{32} was canceled: exit status 5\r\n$/)
    assert.equal((await agent.job(idIn(stdout.toString()))).state, 'canceled')
  })

  test('pressed again while a job does not end, ends newdt at once', async () => {
    const ready = join(home.path, 'ready')
    const live = startNewdt(['run', '--rm', '--', `trap '' TERM; echo begun; touch ${ready}; sleep 300`], {
      env,
      terminal: true,
    })
    await live.printed(/begun/)
    live.type(CTRL_C)
    await live.printed(/canceling/)
    // One that comes in the same moment is the same key press.
    const again = setInterval(() => live.type(CTRL_C), 50)
    const { code, stdout } = await live.ended
    clearInterval(again)
    assert.equal(code, 130)
    await newdt(['cancel', '--grace', '0s', idIn(stdout.toString())], { env })
  })

  test('is the same as TERM and HUP without a terminal', async () => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const live = startNewdt(['run', '--', 'echo begun; sleep 300'], { env })
      await live.printed(/begun/)
      live.child.kill(signal)
      const { code, stderr } = await live.ended
      assert.equal(code, 130)
      assert.match(stderr.toString(), /detached, the job goes on/)
      await newdt(['cancel', idIn(stderr.toString())], { env })
    }
  })

  test('ends logs -f and wait, and nothing else', async () => {
    const { stdout } = await newdt(['run', '-d', '--', 'echo begun; sleep 300'], { env })
    const id = stdout.trim()
    const logs = startNewdt(['logs', '-f', id], { env })
    await logs.printed(/begun/)
    logs.child.kill('SIGINT')
    assert.equal((await logs.ended).code, 130)
    // It looks the beginning of an id up before it waits, and listens for signals by then.
    const wait = startNewdt(['wait', id.slice(0, 31)], { env })
    await waitFor('newdt has looked the job up', () => agent.output().stdout.includes('"path":"/api/jobs"'))
    wait.child.kill('SIGINT')
    assert.equal((await wait.ended).code, 130)
    assert.equal((await agent.job(id)).state, 'running')
    await newdt(['cancel', id], { env })
  })

  test('with --rm cancels the job also when there is nobody any more to be told', async () => {
    const live = startNewdt(['run', '--rm', '--', 'echo begun; sleep 300'], { env })
    await live.printed(/begun/)
    live.child.stderr!.destroy()
    live.child.kill('SIGHUP')
    await live.ended
    await waitFor('the job is canceled', async () => {
      const jobs = (await agent.call('/api/jobs?limit=1')).data as { state: string }[]
      return jobs[0]!.state === 'canceled'
    })
  })
})
