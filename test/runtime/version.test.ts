import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/agent.ts'

const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(join(ROOT, 'runtime/node.sh'), [join(ROOT, 'runtime/main.ts'), ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })

test('--version tells the version, whatever the settings are', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const env of [{}, { AGENT_PORT: 'x' }]) {
    const { status, stdout, stderr } = run(['--version'], env)
    assert.deepEqual(
      [status, stdout, stderr],
      [0, `newdt-auto ${version}, Node ${process.versions.node}\n`, ''],
    )
  }
})

test('an argument that is not known starts no agent', () => {
  for (const args of [['--help'], ['--version', '--port=80'], ['']]) {
    const { status, stdout, stderr } = run(args)
    assert.deepEqual([status, stdout], [1, ''])
    assert.equal(
      stderr,
      `newdt-auto: ${args.join(' ')}: unknown argument; only --version is known, settings are AGENT_*\n`,
    )
  }
})
