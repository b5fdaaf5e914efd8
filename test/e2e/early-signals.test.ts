import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type AgentEndedError, createHome, ROOT, startAgent, withoutAgentSettings } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'

const MAIN = join(ROOT, 'runtime/main.ts')
const NODE_SH = join(ROOT, 'runtime/node.sh')
/** Not the well-known port, which may be taken on this host. */
const ANY_PORT = '--inspect-port=0'

/** Whether a process has a handler for a signal. */
const catches = (pid: number, signal: number): boolean => {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n
}

describe('SIGUSR1', () => {
  for (const [name, file] of [
    ['node.sh', NODE_SH],
    ['Node itself', process.execPath],
  ] as const) {
    test(`opens no inspector in an agent that ${name} has started`, async () => {
      const home = createHome()
      const agent = await startAgent(home, { command: [file, ANY_PORT, MAIN] })
      process.kill(agent.pid, 'SIGUSR1')
      assert.equal((await agent.execute({ cmd: 'echo hi' })).stdout, 'hi\n')
      const { code, stderr } = await agent.end()
      assert.deepEqual([code, stderr], [0, ''])
      home.remove()
    })
  }

  test('opens none in any program that node.sh runs, and ends a job as ever', async () => {
    const program = `process.kill(process.pid, 'SIGUSR1'); setTimeout(() => console.log('on'), 500)`
    const { stdout, stderr } = spawnSync(NODE_SH, [ANY_PORT, '-e', program], { encoding: 'utf8' })
    assert.deepEqual([stdout, stderr], ['on\n', ''])

    const home = createHome()
    const agent = await startAgent(home, { command: [NODE_SH, MAIN] })
    assert.equal((await agent.execute({ cmd: 'kill -USR1 $$; echo on' })).signal, 'SIGUSR1')
    await agent.end()
    home.remove()
  })
})

test('an agent whose inspector is open does not start, and says why', async () => {
  const home = createHome()
  const command: [string, ...string[]] = [process.execPath, '--inspect=127.0.0.1:0', MAIN]
  await assert.rejects(startAgent(home, { command }), (error: AgentEndedError) => {
    assert.equal(error.code, 1)
    assert.match(error.stderr, /^newdt-auto: Node's inspector is open at 127\.0\.0\.1:\d+/m)
    return true
  })
  home.remove()
})

test('SIGUSR2 that comes long before the agent listens drains it all the same', {
  skip: process.platform !== 'linux',
}, async () => {
  const home = createHome()
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...withoutAgentSettings(process.env),
      AGENT_DATA_DIR: home.data,
      AGENT_PORT: '0',
      AGENT_SECRET: 'shindata-shindata',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  const ended = once(child, 'exit')
  try {
    await waitFor('the signal is caught', () => catches(child.pid!, constants.signals.SIGUSR2))
    child.kill('SIGUSR2')
    await waitFor('the agent has ended', () => child.exitCode !== null || child.signalCode !== null)
    assert.deepEqual(await ended, [0, null])
    assert.match(stdout, /"msg":"draining"/)
  } finally {
    child.kill('SIGKILL')
  }
  home.remove()
})
