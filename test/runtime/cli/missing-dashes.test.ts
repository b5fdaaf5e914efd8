import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runVerb } from '../../support/run-verb.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const config = scratchDirectory()
mkdirSync(join(config, 'newdt'))
writeFileSync(join(config, 'newdt/hosts.toml'), '[hosts.db1]\nurl = "http://127.0.0.1:1"\n', { mode: 0o600 })
const env = { XDG_CONFIG_HOME: config }
const script = join(config, 'x.sh')
writeFileSync(script, 'true\n')

for (const [args, meant] of [
  ['ls -la /', 'newdt run -- ls -la /'],
  ['ls', 'newdt run -- ls'],
  ['ls /tmp /', 'newdt run -- ls /tmp /'],
  ['df -h', 'newdt run -- df -h'],
  ['ls -d -la', 'newdt run -- ls -d -la'],
  ['-d --timeout 1m ls -la', 'newdt run -d --timeout 1m -- ls -la'],
  ['db1 ls -la', 'newdt run db1 -- ls -la'],
  ['db1 -d ls -la', 'newdt run db1 -d -- ls -la'],
  ['10.0.0.7:8080 uptime', 'newdt run 10.0.0.7:8080 -- uptime'],
  ['--fleet prod ls -la', 'newdt --fleet prod run -- ls -la'],
  ['awk {print} --posix', "newdt run -- awk '{print}' --posix"],
  ['', undefined],
  ['db1', undefined],
  ['db1 -h', undefined],
  ['db1 --timout 3s', undefined],
] as const) {
  test(`newdt run ${args}: the words of it are repeated as they should be`, async () => {
    const message = `what is to be run? It stands behind --${meant === undefined ? ', such as: newdt run -- df -h' : `: ${meant}`}`
    await assert.rejects(runVerb(['run', ...args.split(' ').filter(Boolean)], env), { message })
  })
}

test('what a script is given is repeated as it should be', async () => {
  for (const [args, meant] of [
    [[script, '-v'], `${script} -- -v`],
    [[script, 'a', 'b'], `${script} -- a b`],
    [[script, 'a'], `${script} -- a`],
    [[script, '-h'], `${script} -- -h`],
    [['db1', './check.sh', '-v', 'two words'], "db1 ./check.sh -- -v 'two words'"],
  ] as const) {
    const message = `what the script is given stands behind --: newdt script ${meant}`
    await assert.rejects(runVerb(['script', ...args], env), { message })
  }
})

test('an option of others is told as it is called here', async () => {
  for (const [flag, known] of [
    ['--pids-limit', '--processes'],
    ['--pids-limit=5', '--processes'],
    ['--uid', '--user'],
    ['-g', '--user USER:GROUP'],
    ['--cwd', '--workdir'],
  ] as const) {
    const message = `unknown option '${flag}' (here it is ${known}); see newdt run --help`
    await assert.rejects(runVerb(['run', flag, 'x', '--', 'ls'], env), { message })
  }
  await assert.rejects(runVerb(['ps', '--uid', '0'], env), /unknown option '--uid'; see newdt ps --help/)
})

test('an unknown option before any word is no word of a command', async () => {
  await assert.rejects(runVerb(['run', '--timout', '3s', 'ls'], env), /unknown option '--timout'.*--timeout/)
  for (const host of [[], ['db1']])
    await assert.rejects(runVerb(['run', ...host, '--timout', '3s', '--', 'ls'], env), /option '--timout'/)
})
