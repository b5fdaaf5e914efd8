import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createHome, SECRET } from '../../support/agent.ts'
import { createCertificates } from '../../support/certificates.ts'
import { isInstalled } from '../../support/is-installed.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { newdt } from '../../support/newdt.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'

/** Waits for what is not tried again would be longer than the test may take. */
const PROMPT = { timeout: 40_000 }

/** One that may ask the agents, and knows nothing of the queue. */
const CONFIG = `
authorization {
  users = [
    { user: all, password: all }
    { user: asker, password: asker
      permissions { publish: ["newdt.host.*.*", "$SRV.STATS.newdt-auto", "_INBOX.>"], subscribe: ["_INBOX.>"] } }
    { user: any, password: any
      permissions { publish: ["newdt.any.>", "_INBOX.>"], subscribe: ["_INBOX.>"] } }
  ]
}
`

describe('newdt and the engine', NATS_TEST, () => {
  test('takes a certificate of the address that it connects to, and no other one', {
    skip: isInstalled('openssl') ? false : 'openssl is not installed',
  }, async () => {
    const home = createHome()
    const certificates = createCertificates(home.path)
    const authority = certificates.make('authority', '/CN=authority')
    const own = certificates.make('own', '/CN=own', authority)
    const engineWith = ({ cert, key }: typeof own) =>
      startNatsServer({ protocol: 'tls', config: `tls { cert_file: "${cert}", key_file: "${key}" }` })
    await using engine = await engineWith(own)
    const agent = await startFleetAgent(engine, 'db1', { env: { AGENT_NATS_TLS_CA: authority.cert } })
    const env = { NEWDT_FLEET: engine.url, NEWDT_FLEET_CA: authority.cert, NEWDT_SECRET: SECRET }
    assert.deepEqual(await newdt(['run', 'db1', '--', 'echo there'], { env }), {
      code: 0,
      stdout: 'there\n',
      stderr: '',
    })
    const named = engine.url.replace('127.0.0.1', 'localhost')
    const other = await newdt(['hosts'], { env: { ...env, NEWDT_FLEET: named } })
    assert.equal(other.code, 1)
    assert.match(other.stderr, /does not match certificate's altnames.*NEWDT_FLEET_CA/)
    await agent.end()
    home.remove()
  })

  test('is let in by an nkey that newdt has made', async () => {
    const home = createHome()
    const file = join(home.path, 'own.nkey')
    const { stdout, code } = await newdt(['key', 'nkey', file])
    assert.equal(code, 0)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const again = await newdt(['key', 'nkey', file])
    assert.deepEqual(again, {
      code: 1,
      stdout: '',
      stderr: `newdt: ${file}: it is there already, and stays as it is\n`,
    })
    await using engine = await startNatsServer({
      config: `OWN: ${stdout.trim()}\nauthorization { users = [ { nkey: $OWN } ] }`,
    })
    const agent = await startFleetAgent(engine, 'db1', { env: { AGENT_NATS_NKEY: file } })
    const hosts = await newdt(['hosts'], { env: { NEWDT_FLEET: engine.url, NEWDT_FLEET_NKEY: file } })
    assert.deepEqual([hosts.code, hosts.stderr], [0, ''])
    assert.match(hosts.stdout, /\ndb1 +free /)
    await agent.end()
    home.remove()
  })

  test('without JetStream says so at once, and asks the agents all the same', PROMPT, async () => {
    await using engine = await startNatsServer({ jetstream: false })
    const agent = await startFleetAgent(engine, 'db1', { env: { AGENT_LABELS: 'role=db' } })
    const env = { NEWDT_FLEET: engine.url, NEWDT_SECRET: SECRET }
    for (const args of [
      ['queue', 'ls'],
      ['queue', 'show', 'q3f8a1c2d'],
      ['run', '--any', 'role=db', '--queue', '-d', '--', 'true'],
    ]) {
      const { code, stderr } = await newdt(args, { env })
      assert.notEqual(code, 0)
      assert.match(
        stderr,
        /newdt: the engine has no JetStream; the queue needs "jetstream \{\}"/,
        args.join(' '),
      )
    }
    const id = (await newdt(['run', 'db1', '-d', '--', 'echo there'], { env })).stdout.trim()
    assert.equal((await newdt(['wait', id], { env })).code, 0)
    assert.equal((await newdt(['logs', id], { env })).stdout, 'there\n')
    const { code, stderr } = await newdt(['logs', '0'.repeat(32)], { env })
    assert.equal(code, 1)
    assert.match(stderr, /none of its 1 agents has a job 0+; newdt ps -a lists/)
    await agent.end()
  })

  test(
    'where the user may not use the queue, says so at once, and finds the jobs of agents',
    PROMPT,
    async () => {
      await using engine = await startNatsServer({ config: CONFIG })
      const agent = await startFleetAgent({ url: engine.url.replace('//', '//all:all@') }, 'db1', {
        env: { AGENT_LABELS: 'role=db' },
      })
      const envOf = (user: string) => ({
        NEWDT_FLEET: engine.url.replace('//', `//${user}:${user}@`),
        NEWDT_SECRET: SECRET,
      })
      const env = envOf('asker')
      for (const args of [
        ['queue', 'ls'],
        ['logs', 'q3f8a1c2d'],
        ['run', '--any', 'role=db', '--queue', '-d', '--', 'true'],
      ]) {
        const { code, stderr } = await newdt(args, { env })
        assert.notEqual(code, 0)
        assert.match(
          stderr,
          /this user may not use the queue: .*; whoever runs the engine says who/,
          args.join(' '),
        )
      }
      const id = (await newdt(['run', 'db1', '-d', '--', 'echo there'], { env })).stdout.trim()
      assert.equal((await newdt(['wait', id], { env })).code, 0)
      assert.equal((await newdt(['logs', id.slice(0, 20)], { env })).stdout, 'there\n')
      // Who may use only --any is told what looking for agents takes.
      const looked = await newdt(['hosts'], { env: envOf('any') })
      assert.match(looked.stderr, /publish to "\$SRV\.STATS\.newdt-auto"/)
      assert.equal(
        (await newdt(['run', '--any', 'role=db', '-d', '--', 'true'], { env: envOf('any') })).code,
        0,
      )
      await agent.end()
    },
  )
})
