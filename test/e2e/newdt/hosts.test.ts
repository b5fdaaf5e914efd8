import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type Home, type RunningAgent, SECRET, startAgent } from '../../support/agent.ts'
import { createCertificates } from '../../support/certificates.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'
import { runVerb } from '../../support/run-verb.ts'

const AGENTS = 20

const homes: Home[] = []
const agents: RunningAgent[] = []
const config = createHome()
const env = { XDG_CONFIG_HOME: config.path }
const hostsFile = join(config.path, 'newdt/hosts.toml')

before(async () => {
  // Two at a time, for a start takes a processor.
  while (agents.length < AGENTS) {
    const two = [createHome(), createHome()]
    homes.push(...two)
    agents.push(...(await Promise.all(two.map(home => startAgent(home)))))
  }
})
after(() => Promise.all(agents.map(agent => agent.end())))

const ask = (...args: string[]) => newdt(args, { env })
const writeHosts = (text: string): void => {
  mkdirSync(dirname(hostsFile), { recursive: true })
  writeFileSync(hostsFile, text)
  chmodSync(hostsFile, 0o600)
}
const entry = (name: string, url: string): string => `[hosts.${name}]\nurl = "${url}"\nsecret = "${SECRET}"\n`

describe('newdt host', () => {
  test('add keeps a host, use chooses it, rm forgets it; comments stay', async () => {
    const typed = { env, input: `${SECRET}\n` }
    const added = await newdt(['host', 'add', 'db1', agents[0]!.url, '--secret-stdin'], typed)
    assert.deepEqual([added.code, added.stdout], [0, ''])
    assert.equal(statSync(hostsFile).mode & 0o777, 0o600)
    writeFileSync(hostsFile, `# mine\n${readFileSync(hostsFile, 'utf8')}# the end of db1\n`)
    assert.equal((await newdt(['host', 'add', 'web.1', agents[1]!.url, '--secret-stdin'], typed)).code, 0)
    assert.equal((await ask('host', 'use', 'db1')).code, 0)
    assert.match(
      (await ask('host', 'ls')).stdout,
      /^NAME +URL +AUTH\ndb1 \* +http\S+ +secret\nweb\.1 +http\S+ +secret\n$/,
    )
    assert.doesNotMatch((await ask('host', 'ls', '-o', 'json')).stdout, new RegExp(SECRET))
    assert.equal((await ask('run', '--', 'echo here')).stdout, 'here\n')
    assert.equal((await ask('run', 'web.1', '--', 'echo there')).stdout, 'there\n')
    assert.equal((await ask('run', '-H', agents[2]!.url, '--', 'true')).code, 125)
    assert.equal((await ask('host', 'rm', 'db1')).code, 0)
    assert.equal(readFileSync(hostsFile, 'utf8').split('\n')[0], '# mine')
    assert.match((await ask('host', 'ls')).stdout, /^NAME.*\nweb\.1 +http.*\n$/)
    assert.equal((await ask('host', 'rm', 'web.1')).code, 0)
  })

  test('a faulty file, and one that others may read, is refused in one line that says why', async () => {
    const cases: [string, RegExp][] = [
      ['[hosts.a]\nurl = "ftp://x"\n', /hosts\.a\.url: must be a URL/],
      ['[hosts.a]\nurl = "http://x"\nsecret = "s"\ntoken = "t"\n', /hosts\.a: has more than one of/],
      ['[hosts.a]\nurl = "http://x"\npasword = "s"\n', /hosts\.a: .*pasword/],
      ['current = "b"\n', /current: is none of the hosts/],
      ['x = \n', /hosts\.toml: Invalid/],
    ]
    for (const [text, message] of cases) {
      writeHosts(text)
      const { code, stdout, stderr } = await ask('ps')
      assert.deepEqual([code, stdout, stderr.split('\n').length], [1, '', 2], stderr)
      assert.match(stderr, message)
    }
    writeHosts(entry('a', agents[0]!.url))
    chmodSync(hostsFile, 0o644)
    const open = await ask('run', 'a', '--', 'true')
    assert.deepEqual([open.code, open.stderr.includes(`chmod 600 ${hostsFile}`)], [125, true])
    const names = ['../x', '', 'a b', '-x', '__proto__']
    for (const name of names) assert.equal((await ask('host', 'add', name, 'http://x')).code, 2, name)
  })

  test('check tells what each host is, and is 1 when one is not well', async () => {
    writeHosts(`${entry('good', agents[0]!.url)}${entry('gone', 'http://127.0.0.1:9')}`)
    const { code, stdout } = await ask('host', 'check', '-o', 'json')
    assert.equal(code, 1)
    const [good, gone] = JSON.parse(stdout)
    assert.deepEqual(
      [good.isGood, good.key, good.rights, good.running, good.limit, good.tlsDaysLeft],
      [true, 'default', ['read', 'run', 'admin'], 0, 5, null],
    )
    assert.ok(Math.abs(good.clockSkewSeconds) <= 1)
    assert.deepEqual([gone.isGood, gone.version], [false, null])
    assert.match(gone.note, /is an agent running there/)
    assert.equal((await ask('host', 'check', 'good')).code, 0)
  })

  test('a clock that is wrong is told of, in the refusal and by check', async () => {
    writeHosts(entry('good', agents[0]!.url))
    const shift = join(config.path, 'shift-clock.mjs')
    writeFileSync(shift, 'const now = Date.now; Date.now = () => now() + 600_000\n')
    const ahead = { env: { ...env, NODE_OPTIONS: `--import=${shift}` } }
    const refused = await newdt(['run', 'good', '--', 'true'], ahead)
    assert.equal(refused.code, 125)
    assert.match(refused.stderr, /^newdt: the signature is from \d+ seconds in the future: check the clocks/)
    const [row] = JSON.parse((await newdt(['host', 'check', '-o', 'json'], ahead)).stdout)
    assert.ok(Math.abs(row.clockSkewSeconds + 600) <= 2, String(row.clockSkewSeconds))
  })

  test('TLS: an authority for this host alone, a client certificate, and the days that are left', async () => {
    const certificates = createCertificates(config.path)
    const authority = certificates.make('authority', '/CN=authority')
    const server = certificates.make('server', '/CN=server', authority)
    const alice = certificates.make('alice', '/CN=alice', authority)
    const keys = join(config.path, 'keys.json')
    writeFileSync(
      keys,
      JSON.stringify({ keys: [{ id: 'alice', rights: ['read', 'run'], certificate: 'CN=alice' }] }),
      {
        mode: 0o600,
      },
    )
    const home = createHome()
    const settings = {
      AGENT_TLS_CERT: server.cert,
      AGENT_TLS_KEY: server.key,
      AGENT_TLS_CLIENT_CA: authority.cert,
      AGENT_KEYS_FILE: keys,
    }
    const agent = await startAgent(home, { env: settings })
    try {
      writeHosts('')
      const certificate = ['--ca', authority.cert, '--cert', alice.cert, '--cert-key', alice.key]
      assert.equal((await ask('host', 'add', 'tls', agent.url, ...certificate)).code, 0)
      assert.equal((await ask('run', 'tls', '--', 'echo over TLS')).stdout, 'over TLS\n')
      const [row] = JSON.parse((await ask('host', 'check', 'tls', '-o', 'json')).stdout)
      assert.deepEqual([row.key, row.isGood], ['alice', true])
      assert.ok(row.tlsDaysLeft >= 0)
      const distrusted = await ask('run', agent.url, '--', 'true')
      assert.equal(distrusted.code, 125)
      assert.match(distrusted.stderr, /certificate/)
    } finally {
      await agent.end()
    }
  })
})

describe('newdt run --hosts', () => {
  const all = () => agents.map(({ url }, index) => entry(`web${index + 1}`, url)).join('\n')

  test('runs on all of them, each line behind its host; one that does not answer is a row', async () => {
    writeHosts(`${all()}\n${entry('web99', 'http://127.0.0.1:9')}`)
    const args = [
      'run',
      '--hosts',
      'web*',
      '-P',
      '8',
      '--',
      'echo out; echo err >&2; printf "no end"; exit 0',
    ]
    const { code, stdout, stderr } = await ask(...args)
    assert.equal(code, 1)
    const lines = (text: string, pattern: RegExp): string[] =>
      text.split('\n').filter(line => pattern.test(line))
    assert.equal(lines(stdout, /^web\d+ *\| out$/).length, AGENTS)
    assert.equal(lines(stdout, /^web\d+ *\| no end$/).length, AGENTS)
    assert.equal(lines(stderr, /^web\d+ *\| err$/).length, AGENTS)
    assert.equal(stdout.trimEnd().split('\n').length, 2 * AGENTS)
    assert.equal(lines(stderr, /^web\d+ +success +0 +\S+ +\w{32}$/).length, AGENTS)
    assert.equal(lines(stderr, /^web99 +unreachable +- +\S+ +- +127\.0\.0\.1:9: /).length, 1)
    assert.match(stderr, /^HOST +STATE +EXIT +DURATION +JOB +NOTE$/m)
  })

  test('is 0 when all were a success, and 1 when a job was none', async () => {
    writeHosts(all())
    assert.equal((await ask('run', '--hosts', 'web1,web2', '--', 'true')).code, 0)
    const one = await ask('run', '--hosts', 'web1,web2', '--', `[ $PPID = ${agents[0]!.pid} ]`)
    assert.equal(one.code, 1)
    assert.match(one.stderr, /^web1 +success +0 /m)
    assert.match(one.stderr, /^web2 +failed +1 /m)
    const none = await ask('run', '--hosts', 'db*', '--', 'true')
    assert.deepEqual([none.code, none.stderr.startsWith('newdt: db*: no host in ')], [125, true])
    assert.match(
      (await ask('run', 'web1', '--hosts', 'web2', '--', 'true')).stderr,
      /web1 or web2\? Name the host once/,
    )
  })

  test('for programs the rows come as JSON, and what the jobs write on standard error', async () => {
    writeHosts(`${all()}\n${entry('web99', 'http://127.0.0.1:9')}`)
    const words = ['--hosts', 'web1,web99', '--', 'echo out; exit 3']
    const { code, stdout, stderr } = await runVerb(['run', '-o', 'json', ...words], env)
    assert.equal(code, 1)
    const [web1, web99, ...more] = JSON.parse(stdout)
    assert.deepEqual(
      [web1.host, web1.state, web1.exitCode, web1.note, web1.isSuccess],
      ['web1', 'failed', 3, '', false],
    )
    assert.equal((await agents[0]!.job(web1.id)).exitCode, 3)
    assert.deepEqual(
      [web99.host, web99.state, web99.exitCode, web99.id],
      ['web99', 'unreachable', null, null],
    )
    assert.deepEqual([more, stderr], [[], 'web1  | out\n'])
    const detached = await runVerb(['run', '-d', '-o', 'jsonl', '--hosts', 'web1', '--', 'true'], env)
    const { state, isSuccess } = JSON.parse(detached.stdout)
    assert.deepEqual([state, isSuccess], ['running', true])
    await assert.rejects(runVerb(['run', '-o', 'json', 'web1', '--', 'true'], env), /-o is for --hosts/)
  })

  test('an interrupt leaves the jobs, and with --rm cancels them', async () => {
    writeHosts(all())
    for (const [options, state] of [
      [['--rm'], 'canceled'],
      [[], 'running'],
    ] as const) {
      const args = ['run', ...options, '--hosts', 'web3,web4', '--', 'echo begun; sleep 300']
      const live = startNewdt(args, { env })
      await live.printed(/begun\n.*begun\n/s)
      live.child.kill('SIGINT')
      const { code, stderr } = await live.ended
      assert.equal(code, options.length > 0 ? 1 : 130)
      const rows = [...stderr.toString().matchAll(/^(web\d) +\S+ +\S+ +\S+ +(\w{32})/gm)]
      assert.deepEqual(
        rows.map(([, name]) => name),
        ['web3', 'web4'],
      )
      for (const [index, [, , id]] of rows.entries()) {
        assert.equal((await agents[index + 2]!.job(id!)).state, state)
      }
    }
    for (const name of ['web3', 'web4']) {
      const ids = (await ask('ps', '-H', name, '-q')).stdout.trim().split('\n')
      assert.equal((await ask('cancel', '-H', name, '--grace', '0s', ...ids)).code, 0)
    }
  })

  test('nobody who reads cancels no job, begins none, and is told of', async () => {
    writeHosts(all())
    // One writes at once, in the middle of a line; the other would be next, and is not asked any more.
    const cmd = 'for i in 1 2 3; do printf "a\\nb"; sleep 0.3; done; sleep 300'
    const live = startNewdt(['run', '--rm', '--hosts', 'web5,web6', '-P', '1', '--', cmd], { env })
    await live.printed(/web5 +\| a/)
    live.child.stdout!.destroy()
    const { code, stderr } = await live.ended
    assert.deepEqual([code, stderr.toString()], [141, 'newdt: nobody reads any more, jobs that run go on\n'])
    assert.equal((await ask('ps', '-H', 'web6', '-q')).stdout, '')
    const id = (await ask('ps', '-H', 'web5', '-q')).stdout.trim()
    assert.equal((await ask('cancel', '-H', 'web5', '--grace', '0s', id)).code, 0)
  })

  test('agents that were asked leave nothing behind', async () => {
    await Promise.all(agents.map(agent => agent.end()))
    await Promise.all(homes.map(home => home.assertClean()))
  })
})
