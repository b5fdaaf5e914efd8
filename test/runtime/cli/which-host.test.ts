import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { whichHost, whichHosts } from '../../../runtime/cli/which-host.ts'
import { runVerb } from '../../support/run-verb.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const home = scratchDirectory()
writeFileSync(join(home, 'secret'), '\nlocal-secret\nolder\n')
mkdirSync(join(home, '.config/newdt'), { recursive: true })
const hosts = `
[hosts.db1]
url = "https://db1.example.com"
secret = "of-db1"
key = "platform"
[hosts.db2]
url = "http://127.0.0.1:8081"
[hosts.web1]
url = "http://10.0.0.7:8080"
token_file = "~/token"
[hosts.old]
url = "http://127.0.0.1:8082"
secret = "of-old"
signature = "contract"
[hosts.certificate]
url = "https://127.0.0.1:8083"
cert = "~/token"
cert_key = "~/token"
`
writeFileSync(join(home, '.config/newdt/hosts.toml'), hosts, { mode: 0o600 })
writeFileSync(join(home, 'token'), 'nda_token\n')
const env = { HOME: home, AGENT_DATA_DIR: home }

const asked = async (named?: string, more: NodeJS.ProcessEnv = {}) => {
  const { url, credentials } = await whichHost({ ...env, ...more }, named)
  return [url, credentials]
}
const local = { secret: 'local-secret' }

test('the secret of the agent on this machine signs for this machine alone', async () => {
  assert.deepEqual(await asked(), ['http://127.0.0.1:8080', local])
  for (const url of ['http://localhost:1', 'http://[::1]:1', 'https://127.1.2.3']) {
    assert.deepEqual(await asked(url), [url, local])
  }
  for (const url of [
    'http://10.0.0.7:8080',
    'https://localhost.example.com',
    'http://127.0.0.1.example.com',
  ]) {
    assert.deepEqual(await asked(url), [url, undefined])
  }
  assert.deepEqual(await asked('db2'), ['http://127.0.0.1:8081', local])
})

test('what is set for one command comes before the file, and the file before the secret of this machine', async () => {
  const own = { secret: 'of-db1', keyId: 'platform', signature: undefined }
  assert.deepEqual(await asked('db1'), ['https://db1.example.com', own])
  assert.deepEqual(await asked('web1'), ['http://10.0.0.7:8080', { token: 'nda_token' }])
  assert.deepEqual(await asked('db1', { NEWDT_TOKEN: 't' }), ['https://db1.example.com', { token: 't' }])
  assert.deepEqual(await asked(undefined, { NEWDT_HOST: 'db1', NEWDT_SECRET: 's', NEWDT_KEY: 'k' }), [
    'https://db1.example.com',
    { secret: 's', keyId: 'k', signature: undefined },
  ])
  const contract = { secret: 's', keyId: undefined, signature: 'contract' }
  assert.deepEqual(await asked('old', { NEWDT_SECRET: 's' }), ['http://127.0.0.1:8082', contract])
})

test('a client certificate says who asks, and is not contradicted by the secret of this machine', async () => {
  const url = 'https://127.0.0.1:8083'
  assert.deepEqual(await asked('certificate'), [url, undefined])
  assert.deepEqual(await asked('certificate', { NEWDT_TOKEN: 't' }), [url, { token: 't' }])
})

test('host ls says how each is asked, also by the secret of this machine', async () => {
  const authOf = async (more: NodeJS.ProcessEnv = {}) => {
    const { stdout } = await runVerb(['host', 'ls', '-o', 'jsonl'], { ...env, ...more })
    const rows = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    return rows.map(({ name, auth }) => `${name}: ${auth}`)
  }
  const others = ['web1: token', 'old: contract', 'certificate: certificate']
  assert.deepEqual(await authOf(), ['db1: secret (platform)', 'db2: secret of this machine', ...others])
  const elsewhere = { AGENT_DATA_DIR: '/nonexistent' }
  assert.deepEqual(await authOf(elsewhere), ['db1: secret (platform)', 'db2: none', ...others])
})

test('a host with a port is an agent, and several are found by patterns', async () => {
  assert.deepEqual(await asked('localhost:8081'), ['http://localhost:8081', local])
  assert.deepEqual(await asked('[::1]:8081'), ['http://[::1]:8081', local])
  const names = async (patterns: string) => (await whichHosts(env, patterns)).map(({ name }) => name)
  assert.deepEqual(await names('db*, web1,db1'), ['db1', 'db2', 'web1'])
  assert.deepEqual(await names('db?'), ['db1', 'db2'])
  await assert.rejects(names('d.1'), /no host in .* is called so/)
})
