import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../../support/agent.ts'
import { isInstalled } from '../../support/is-installed.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const config = scratchDirectory()
mkdirSync(join(config, 'newdt'))
writeFileSync(
  join(config, 'newdt/hosts.toml'),
  '[hosts.db1]\nurl = "http://127.0.0.1:9"\n[hosts.db2]\nurl = "http://127.0.0.1:9"\n',
  { mode: 0o600 },
)
const env = {
  PATH: `${join(ROOT, 'runtime')}:${process.env.PATH}`,
  HOME: config,
  XDG_CONFIG_HOME: config,
  TERM: 'dumb',
}

/** Sooner than newdt gives up an agent otherwise, which is after half a minute. */
const DEADLINE_MS = 15_000

/** The values that newdt offers for the last word. */
const offered = (...words: string[]): string[] =>
  execFileSync('newdt', ['__complete', '--', ...words], { env, encoding: 'utf8', timeout: DEADLINE_MS })
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.split('\t')[0]!)

test('verbs, options, hosts and choices are offered where they can stand', () => {
  assert.deepEqual(offered('r'), ['run', 'rerun'])
  assert.deepEqual(offered('host', ''), ['add', 'list', 'use', 'rm', 'check', 'help'])
  assert.deepEqual(offered('run', '--ti'), ['--timeout'])
  assert.deepEqual(offered('run', ''), ['db1', 'db2'])
  assert.deepEqual(offered('ps', '-H', ''), ['db1', 'db2'])
  assert.deepEqual(offered('ps', '-o', 'json'), ['json', 'jsonl'])
  assert.deepEqual(offered('completion', 'z'), ['zsh'])
  assert.deepEqual(offered('ps', '--state', 'f'), ['failed'])
  assert.deepEqual(offered('signal', '-s', 'H'), ['HUP'])
  assert.deepEqual(offered('run', '--notify-on', 's'), ['started', 'success'])
  assert.deepEqual(offered('host', 'use', 'db2'), ['db2'])
  assert.deepEqual(offered('run', '--', ''), [])
  assert.deepEqual(offered('run', '--timeout', ''), [])
  // No agent answers, and that is not told in the middle of a line.
  assert.deepEqual(offered('logs', '-H', 'db1', ''), [])
  assert.deepEqual(offered('nonsense', ''), [])
})

test('a host that takes a connection and says nothing is not waited for', async t => {
  // Nobody accepts: this process waits for newdt meanwhile.
  const silent = createServer().listen(0, '127.0.0.1')
  t.after(() => silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  assert.deepEqual(offered('logs', '-H', `http://127.0.0.1:${port}`, ''), [])
})

test('bash completes by the script', () => {
  const script = `source <(newdt completion bash); COMP_WORDS=(newdt ps --st); COMP_CWORD=2; _newdt; printf '%s\\n' "\${COMPREPLY[@]}"`
  assert.equal(execFileSync('bash', ['-c', script], { env, encoding: 'utf8' }), '--state\n')
})

test('zsh and fish take the script', t => {
  for (const shell of ['zsh', 'fish']) {
    if (!isInstalled(shell)) {
      t.diagnostic(`${shell} is not installed`)
      continue
    }
    const script = execFileSync('newdt', ['completion', shell], { env, encoding: 'utf8' })
    const file = join(config, `completion.${shell}`)
    writeFileSync(file, script)
    execFileSync(shell, ['-n', file], { env })
  }
  if (!isInstalled('fish')) return
  const completed = `newdt completion fish | source; complete -C 'newdt ps --st'`
  assert.match(execFileSync('fish', ['-c', completed], { env, encoding: 'utf8' }), /^--state\t.*\n$/)
})
