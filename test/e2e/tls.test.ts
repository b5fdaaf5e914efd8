import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { hashToken } from '../../lib/security/keys.ts'
import { createHome, type Envelope, type RunningAgent, sign, startAgent } from '../support/agent.ts'
import { askByCurl } from '../support/ask-by-curl.ts'
import { createCertificates } from '../support/certificates.ts'
import { isInstalled } from '../support/is-installed.ts'
import { waitFor } from '../support/wait-for.ts'

const run = promisify(execFile)
const CMD = '/api/jobs/execute/cmd'
const TOKEN = 'nda_token-of-the-monitor-0123'
const skip = isInstalled('openssl', 'curl') ? false : 'openssl or curl is not installed'

const signed = (): string[] => {
  const headers = sign()
  return ['-H', `sign: ${headers.sign}`, '-H', `signAt: ${headers.signAt}`]
}

const submitting = (body: object): string[] => ['--json', JSON.stringify(body)]

describe('an agent that speaks TLS', { skip }, () => {
  const home = createHome()
  const certificates = createCertificates(home.path)
  const authority = certificates.make('authority', '/O=Example/CN=Authority')
  const stranger = certificates.make('stranger', '/O=Elsewhere/CN=Authority')
  const server = certificates.make('server', '/CN=db1', authority)
  const alice = certificates.make('alice', '/O=Example/CN=alice', authority)
  const bob = certificates.make('bob', '/O=Example/CN=bob', authority)
  const eve = certificates.make('eve', '/O=Example/CN=eve', authority)
  const forged = certificates.make('forged', '/O=Example/CN=alice', stranger)
  const carol = certificates.make('carol', '/O=Elsewhere/CN=carol', stranger)
  const fingerprint = new X509Certificate(readFileSync(bob.cert)).fingerprint256
  const keysFile = join(home.path, 'keys.json')
  const keys = [
    { id: 'alice', rights: ['read', 'run'], certificate: 'CN=alice,O=Example' },
    { id: 'bob', rights: ['read'], certificate: `sha256:${fingerprint.replaceAll(':', '').toLowerCase()}` },
    { id: 'carol', rights: ['read'], certificate: 'CN=carol,O=Elsewhere' },
    { id: 'monitor', rights: ['read'], token: hashToken(TOKEN) },
  ]
  writeFileSync(keysFile, JSON.stringify({ keys }), { mode: 0o600 })
  const TLS = {
    AGENT_TLS_CERT: server.cert,
    AGENT_TLS_KEY: server.key,
    AGENT_TLS_CLIENT_CA: authority.cert,
    AGENT_KEYS_FILE: keysFile,
  }

  const curl = async (agent: RunningAgent, path: string, ...args: string[]) => {
    const { body } = await askByCurl('--cacert', authority.cert, ...args, `${agent.url}${path}`)
    return JSON.parse(body) as Envelope & { data: Record<string, unknown> }
  }
  const pem = ({ cert, key }: { cert: string; key: string }) => ({
    cert: readFileSync(cert),
    key: readFileSync(key),
  })
  const showing = ({ cert, key }: { cert: string; key: string }): string[] => ['--cert', cert, '--key', key]
  /** A connection on which one request has been answered. */
  const connected = async (agent: RunningAgent, who = alice) => {
    const { hostname, port } = new URL(agent.url)
    const options = { ca: readFileSync(authority.cert), ...pem(who), host: hostname, port: Number(port) }
    const socket = connect(options)
    let text = ''
    socket.on('data', data => {
      text += data
    })
    socket.on('error', () => {})
    const closed = once(socket, 'close').then(() => true)
    const ask = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    ask('/api/jobs?limit=1')
    await waitFor('the first request is answered', () => text.includes('"success":true'))
    return { ask, closed, text: () => text, answers: () => text.split('"success":true').length - 1 }
  }
  type Connected = Awaited<ReturnType<typeof connected>>
  /** One that is used again and again is not closed for being idle. */
  const keepAsking = (t: TestContext, { ask }: Pick<Connected, 'ask'>): void => {
    const asking = setInterval(() => ask('/api/jobs?limit=1'), 100)
    t.after(() => clearInterval(asking))
  }
  const end = async (agent: RunningAgent) => {
    assert.equal((await agent.end()).code, 0)
    await home.assertClean()
  }

  test('takes what it took without, and a certificate as the proof of who asks', async () => {
    const agent = await startAgent(home, { env: TLS })
    assert.match(agent.url, /^https:/)
    const ran = await curl(agent, CMD, ...signed(), ...submitting({ cmd: 'echo hi' }))
    assert.deepEqual([ran.data.stdout, ran.data.caller], ['hi\n', 'default'])
    const byAlice = await curl(agent, CMD, ...showing(alice), ...submitting({ cmd: 'echo hi' }))
    assert.deepEqual([byAlice.data.stdout, byAlice.data.caller], ['hi\n', 'alice'])
    const byBob = await curl(agent, CMD, ...showing(bob), ...submitting({ cmd: 'echo hi' }))
    assert.equal(byBob.error, 'forbidden')
    assert.equal((await curl(agent, '/api/jobs', ...showing(bob))).code, 0)
    const byEve = await curl(agent, '/api/jobs', ...showing(eve))
    assert.deepEqual(
      [byEve.error, byEve.msg],
      ['certificate-unknown', '没有 key 使用客户端证书 CN=eve,O=Example'],
    )
    assert.equal((await curl(agent, '/api/jobs')).error, 'signature-missing')
    await end(agent)
  })

  for (const [name, subject, ...ways] of [
    ['letters beyond ASCII', '/O=示例/CN=张三', 'CN=张三,O=示例'],
    ['names that belong together', '/O=X/CN=dora+UID=17'],
    ['letters that are escaped', '/O=Acme, Inc/CN=#frank "g" \\+ h'],
  ] as const) {
    test(`knows a subject of ${name} as openssl prints it${ways.length > 0 ? ', and as people write it' : ''}`, async () => {
      const one = certificates.make('one', subject, authority)
      const printed = execFileSync('openssl', [
        ...['x509', '-noout', '-subject', '-nameopt', 'RFC2253', '-in', one.cert],
      ])
      const file = join(home.path, 'one.json')
      for (const certificate of [
        printed
          .toString()
          .trim()
          .replace(/^subject=\s*/, ''),
        ...ways,
      ]) {
        const key = { id: 'one', rights: ['read'], certificate }
        writeFileSync(file, JSON.stringify({ keys: [key] }), { mode: 0o600 })
        const agent = await startAgent(home, { env: { ...TLS, AGENT_KEYS_FILE: file } })
        assert.equal((await curl(agent, '/api/jobs', ...showing(one))).msg, '', certificate)
        await end(agent)
      }
    })
  }

  test('says so when others may read its key, and not when a group may', async () => {
    const key = join(home.path, 'open.key')
    copyFileSync(server.key, key)
    for (const [mode, count] of [
      [0o644, 1],
      [0o640, 0],
    ] as const) {
      chmodSync(key, mode)
      const agent = await startAgent(home, { env: { ...TLS, AGENT_TLS_KEY: key } })
      assert.equal(agent.output().stdout.split('AGENT_TLS_KEY IS OPEN TO OTHERS').length - 1, count)
      await end(agent)
    }
  })

  test('refuses a certificate of another authority, whatever else the request has', async () => {
    const agent = await startAgent(home, { env: TLS })
    for (const more of [[], signed(), ['-H', `Authorization: Bearer ${TOKEN}`]]) {
      assert.equal((await curl(agent, '/api/jobs', ...showing(forged), ...more)).error, 'certificate-wrong')
    }
    await end(agent)
  })

  test('does not take the certificate of a proxy for that of a client', async () => {
    const agent = await startAgent(home, { env: { ...TLS, AGENT_TRUSTED_PROXIES: '127.0.0.1' } })
    assert.equal((await curl(agent, '/api/jobs', ...showing(alice))).code, 0)
    const forwarded = await curl(agent, '/api/jobs', ...showing(alice), '-H', 'X-Forwarded-For: 192.0.2.7')
    assert.equal(forwarded.error, 'signature-missing')
    await end(agent)
  })

  test('does nothing for a page of another site that has a browser send the certificate of its user', async () => {
    const agent = await startAgent(home, { env: TLS })
    const { data } = await curl(
      agent,
      CMD,
      ...showing(alice),
      ...submitting({ cmd: 'sleep 300', async: true }),
    )
    const job = `/api/jobs/${data.id}`
    const byBrowser = (...headers: string[]) =>
      curl(agent, `${job}/cancel`, ...showing(alice), '-X', 'POST', ...headers.flatMap(line => ['-H', line]))
    for (const headers of [
      ['Sec-Fetch-Site: cross-site', 'Origin: https://elsewhere.example'],
      ['Sec-Fetch-Site: same-site'],
      ['Origin: https://elsewhere.example'],
      ['Origin: null'],
    ])
      assert.equal((await byBrowser(...headers)).error, 'signature-missing', headers.join())
    assert.equal((await curl(agent, job, ...showing(alice))).data.state, 'running')
    const own = await byBrowser('Sec-Fetch-Site: same-origin', `Origin: ${agent.url}`)
    assert.equal(own.data.state, 'canceled')
    await end(agent)
  })

  test('that is strict takes tokens and certificates', async () => {
    const agent = await startAgent(home, { env: { ...TLS, AGENT_AUTH: 'strict' } })
    assert.equal((await curl(agent, '/api/jobs', ...signed())).error, 'credential-too-weak')
    assert.equal((await curl(agent, '/api/jobs', '-H', `Authorization: Bearer ${TOKEN}`)).code, 0)
    assert.equal((await curl(agent, '/api/jobs', ...showing(alice))).code, 0)
    await end(agent)
  })

  test('answers neither plain HTTP nor TLS before 1.2', async () => {
    const agent = await startAgent(home, { env: TLS })
    await assert.rejects(run('curl', ['-sS', agent.url.replace('https', 'http')]))
    const old = ['-sS', '--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0', '--cacert', authority.cert]
    await assert.rejects(
      run('curl', [...old, `${agent.url}/healthz`]),
      /alert protocol version|unsupported protocol/,
    )
    assert.equal((await curl(agent, '/healthz', '--tls-max', '1.2')).code, 0)
    await end(agent)
  })

  test('takes renewed files up while a call is open, and keeps the old ones while new ones are faulty', async t => {
    const files = { cert: join(home.path, 'used.pem'), key: join(home.path, 'used.key') }
    /** Each in the place of the other at once, as certbot does. */
    const use = ({ cert, key }: { cert: string; key: string }): void => {
      for (const [from, to] of [
        [key, files.key],
        [cert, files.cert],
      ] as const) {
        copyFileSync(from, `${to}.new`)
        renameSync(`${to}.new`, to)
      }
    }
    use(server)
    const agent = await startAgent(home, {
      env: { ...TLS, AGENT_TLS_CERT: files.cert, AGENT_TLS_KEY: files.key },
    })
    const served = () => subjectServed(agent, authority.cert)
    assert.equal(await served(), 'CN=db1')
    const kept = await connected(agent)
    keepAsking(t, kept)
    const go = join(home.path, 'go')
    const cmd = `until [ -e ${go} ]; do sleep 0.02; done; echo done`
    const open = curl(agent, CMD, ...signed(), ...submitting({ cmd }))
    await waitFor('the job runs', async () => {
      const { data } = await curl(agent, '/api/jobs/countOfRunningJobs', ...signed())
      return (data as unknown) === 1
    })
    use(certificates.make('renewed', '/CN=db1-renewed', authority))
    await waitFor('the renewed certificate is served', async () => (await served()) === 'CN=db1-renewed')
    writeFileSync(files.cert, 'nothing')
    await waitFor('the log says that the file is faulty', () =>
      agent.output().stdout.includes('THE CHANGED TLS FILES CANNOT BE USED'),
    )
    assert.equal(await served(), 'CN=db1-renewed')
    writeFileSync(go, '')
    assert.equal((await open).data.stdout, 'done\n')
    const answers = kept.answers()
    await waitFor('who was connected before is answered', () => kept.answers() > answers + 1)
    await end(agent)
  })

  test('ends the connections of clients whose authority was taken out, and breaks off what they read', async t => {
    const clientCa = join(home.path, 'used-ca.pem')
    copyFileSync(authority.cert, clientCa)
    const agent = await startAgent(home, { env: { ...TLS, AGENT_TLS_CLIENT_CA: clientCa } })
    const { data } = await curl(
      agent,
      CMD,
      ...signed(),
      ...submitting({ cmd: 'while :; do echo line; sleep 0.1; done', async: true }),
    )
    const [idle, busy] = [await connected(agent), await connected(agent)]
    busy.ask(`/api/jobs/${data.id}/stdout?follow=true`)
    await waitFor('the output is followed', () => busy.text().includes('octet-stream'))
    copyFileSync(stranger.cert, clientCa)
    keepAsking(t, idle)
    await waitFor('a connection that is used is closed', () => Promise.race([idle.closed, setTimeout(50)]))
    await busy.closed
    assert.doesNotMatch(busy.text(), /\r\n0\r\n\r\n$/, 'nobody can take it for whole')
    await curl(agent, `/api/jobs/${data.id}/cancel`, ...signed(), ...submitting({ grace: '0s' }))
    assert.equal((await curl(agent, '/api/jobs', ...showing(alice))).error, 'certificate-wrong')
    const later = await connected(agent, carol)
    keepAsking(t, later)
    copyFileSync(authority.cert, clientCa)
    await waitFor('so is one of the next authority', () => Promise.race([later.closed, setTimeout(50)]))
    await end(agent)
  })

  test('does not start with files that are none, and says which', async () => {
    for (const [env, message] of [
      [{ AGENT_TLS_CERT: '/nowhere' }, /\/nowhere/],
      [{ AGENT_TLS_CERT: keysFile }, /AGENT_TLS_CERT.*keys\.json/],
      [{ AGENT_TLS_KEY: alice.key }, /alice\.key: .*mismatch/],
      [{ AGENT_TLS_CLIENT_CA: keysFile }, /keys\.json/],
    ] as const) {
      await assert.rejects(startAgent(home, { env: { ...TLS, ...env } }), message)
    }
  })
})

const subjectServed = (agent: RunningAgent, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(agent.url)
    const socket = connect({ host: hostname, port: Number(port), ca: readFileSync(ca) }, () => {
      resolve(socket.getPeerX509Certificate()!.subject)
      socket.end()
    })
    socket.once('error', reject)
  })

describe('an agent on a network', () => {
  const home = createHome()

  test('says what plain HTTP beyond loopback means, once', async () => {
    const agent = await startAgent(home, { env: { AGENT_HOST: '0.0.0.0' } })
    const lines = agent.output().stdout.split('\n')
    assert.equal(lines.filter(line => line.includes('PLAIN HTTP ON A NETWORK')).length, 1)
    await agent.end()
    const local = await startAgent(home)
    assert.ok(!local.output().stdout.includes('PLAIN HTTP'))
    await local.end()
  })

  test('cuts off whoever AGENT_ALLOW does not have, and says so once for each', async () => {
    const agent = await startAgent(home, { env: { AGENT_ALLOW: '192.0.2.0/24, ::1' } })
    for (let n = 0; n < 3; n++) await assert.rejects(fetch(`${agent.url}/healthz`))
    await agent.end()
    const lines = agent.output().stdout.split('\n')
    assert.equal(lines.filter(line => line.includes('cut off')).length, 1)
    assert.ok(!lines.some(line => line.includes('"path":"/healthz"')))
    const allowed = await startAgent(home, { env: { AGENT_ALLOW: '192.0.2.0/24,127.0.0.0/8' } })
    assert.equal((await fetch(`${allowed.url}/healthz`)).status, 200)
    await allowed.end()
  })

  test('believes who a trusted proxy says asks, and nobody else', async () => {
    const keysFile = join(home.path, 'keys.json')
    const keys = [{ id: 'monitor', rights: ['read'], token: hashToken(TOKEN) }]
    writeFileSync(keysFile, JSON.stringify({ keys }), { mode: 0o600 })
    const withKeys = { AGENT_KEYS_FILE: keysFile }
    const agent = await startAgent(home, {
      env: { ...withKeys, AGENT_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' },
    })
    const clientOf = async (one: RunningAgent, forwarded: string) =>
      (await one.execute({ cmd: 'true' }, { 'X-Forwarded-For': forwarded })).client
    assert.equal(await clientOf(agent, '203.0.113.9, 192.0.2.7, 10.1.2.3'), '192.0.2.7')
    assert.equal(await clientOf(agent, '2001:db8::7'), '2001:db8::7')
    assert.equal(await clientOf(agent, '203.0.113.9:1, 192.0.2.7:4711, 10.1.2.3:80'), '192.0.2.7')
    assert.equal(await clientOf(agent, '[2001:db8::7]:4711, [::ffff:10.1.2.3]:80'), '2001:db8::7')
    for (const garbage of ['192.0.2.7:', '192.0.2.7:x', '[192.0.2.7', '[]:1', '1.2:3'])
      assert.equal(await clientOf(agent, garbage), '127.0.0.1')
    for (const nothing of ['', 'unknown', '10.0.0.1', '192.0.2.7, garbage'])
      assert.equal(await clientOf(agent, nothing), '127.0.0.1')
    const byToken = async (headers: Record<string, string>) => {
      const response = await fetch(`${agent.url}/api/jobs`, {
        headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
      })
      return ((await response.json()) as Envelope).error ?? response.status
    }
    assert.equal(await byToken({}), 200)
    assert.equal(await byToken({ 'X-Forwarded-For': '192.0.2.7' }), 'token-insecure')
    const encrypted = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' }
    assert.equal(await byToken(encrypted), 200)
    await agent.end()
    const direct = await startAgent(home, { env: withKeys })
    assert.equal(await clientOf(direct, '192.0.2.7'), '127.0.0.1')
    await direct.end()
  })
})
