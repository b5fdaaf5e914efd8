import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/agent.ts'

/** An agent that has started by mistake would stay. */
const DEADLINE_MS = 15_000

const newdt = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'runtime/newdt'), args, {
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  })
  return { status, stdout, stderr }
}

test('newdt agent --help says in a few lines what the settings are and where they are described', () => {
  for (const flag of ['--help', '-h']) {
    const { status, stdout, stderr } = newdt('agent', flag)
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^Usage: newdt agent/)
    assert.match(stdout, /settings are AGENT_\*/)
    assert.match(stdout, /docs\/configuration\.md/)
    assert.ok(stdout.split('\n').length < 20)
  }
})

test('newdt agent --version tells the version of the agent and of its Node', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  assert.deepEqual(newdt('agent', '--version'), {
    status: 0,
    stdout: `newdt-auto ${version}, Node ${process.versions.node}\n`,
    stderr: '',
  })
})

test('newdt agent with an argument that is not known starts no agent', () => {
  const { status, stdout, stderr } = newdt('agent', '--port=80')
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /^newdt-auto: --port=80: unknown argument/)
})
