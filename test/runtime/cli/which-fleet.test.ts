import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { addHost, hostsPath, readHosts, removeHost, useHost } from '../../../runtime/cli/hosts-file.ts'
import { whichFleet } from '../../../runtime/cli/which-fleet.ts'
import { runVerb } from '../../support/run-verb.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const home = scratchDirectory()
const env = { HOME: home }
const path = hostsPath(env)
mkdirSync(join(home, '.config/newdt'), { recursive: true })
for (const name of ['creds', 'nkey', 'ca', 'cert', 'cert_key', 'secret', 'key.pem'])
  writeFileSync(join(home, name), name === 'secret' ? '\nof-file\nolder\n' : `the ${name}\n`)

const write = (text: string, mode = 0o600): void => {
  writeFileSync(path, text)
  chmodSync(path, mode)
}
const asked = (text: string, name = 'prod', more: NodeJS.ProcessEnv = {}) => {
  write(text)
  return whichFleet({ ...env, ...more }, name)
}
const prod = (...lines: string[]): string =>
  ['[fleets.prod]', 'url = "tls://a:4222,tls://b:4222"', ...lines, ''].join('\n')

describe('a fleet', () => {
  test('of the file has where its engine is, who connects, and who asks the agents', async () => {
    const whole = prod(
      'creds_file = "~/creds"',
      'ca = "~/ca"',
      'cert = "~/cert"',
      'cert_key = "~/cert_key"',
      'inbox = "_INBOX.alice"',
      'key = "alice"',
      'private_key_file = "~/key.pem"',
    )
    assert.deepEqual(await asked(whole), {
      name: 'fleet prod',
      servers: ['tls://a:4222', 'tls://b:4222'],
      user: undefined,
      creds: 'the creds\n',
      nkey: undefined,
      tls: { ca: 'the ca\n', cert: 'the cert\n', key: 'the cert_key\n' },
      inbox: '_INBOX.alice',
      credentials: { privateKey: 'the key.pem\n', keyId: 'alice' },
    })
  })

  test('has a secret of its own, or from a file; NEWDT_SECRET comes before both', async () => {
    const of = async (...[line, more]: [string, NodeJS.ProcessEnv?]) =>
      (await asked(prod(line), 'prod', more)).credentials
    assert.deepEqual(await of('secret = "s"'), { secret: 's', keyId: undefined, signature: undefined })
    assert.deepEqual(await of('secret_file = "~/secret"'), {
      secret: 'of-file',
      keyId: undefined,
      signature: undefined,
    })
    assert.deepEqual(await of('secret = "s"', { NEWDT_SECRET: 'own', NEWDT_KEY: 'me' }), {
      secret: 'own',
      keyId: 'me',
    })
    assert.equal(await of(''), undefined)
  })

  test('by its URL has the user that is in it, and the rest from NEWDT_FLEET_*; no name shows a password', async () => {
    const { name, servers, user, tls, inbox, creds, nkey } = await asked(
      '',
      'nats://alice:p%40ss@a:4222,nats://b',
      {
        NEWDT_FLEET_CREDS: join(home, 'creds'),
        NEWDT_FLEET_INBOX: '_INBOX.alice',
      },
    )
    assert.deepEqual([name, servers], ['nats://a:4222,nats://b', ['nats://a:4222', 'nats://b']])
    assert.deepEqual(user, { name: 'alice', password: 'p@ss' })
    assert.deepEqual([tls, inbox, creds, nkey], [undefined, '_INBOX.alice', 'the creds\n', undefined])
    const other = await asked('', 'tls://token@a', {
      NEWDT_FLEET_NKEY: join(home, 'nkey'),
      NEWDT_FLEET_CA: join(home, 'ca'),
    })
    assert.deepEqual([other.user, other.nkey], [{ name: 'token', password: undefined }, 'the nkey'])
    assert.deepEqual([other.tls, other.inbox], [{ ca: 'the ca\n' }, '_INBOX'])
    assert.deepEqual((await asked('', 'engine:4222')).servers, ['nats://engine:4222'])
  })

  test('that is not there, or is faulty, is refused in a line that says what to do', async () => {
    const cases: [text: string, RegExp, name?: string, more?: NodeJS.ProcessEnv][] = [
      ['', /^prod: there is no such fleet in .*hosts\.toml; \[fleets\.prod\] .*nats:\/\/prod:4222/],
      [prod(), /^dev: there is no such fleet in .*; it has prod; /, 'dev'],
      [
        prod('token = "t"'),
        /fleets\.prod\.token: is good for nothing in a fleet; use secret, secret_file or/,
      ],
      [prod('token_file = "~/t"'), /fleets\.prod\.token_file: is good for nothing in a fleet/],
      [prod('signature = "contract"'), /fleets\.prod\.signature: is not for a fleet/],
      [prod('secret = "s"', 'secret_file = "~/secret"'), /has more than one of secret, secret_file/],
      [prod('creds_file = "~/creds"', 'nkey_file = "~/nkey"'), /more than one of creds_file, nkey_file/],
      [prod('private_key_file = "~/key.pem"'), /needs the id of the key/],
      [prod('cert = "~/cert"'), /needs both, cert and cert_key/],
      [prod('inbox = "a b"'), /fleets\.prod\.inbox: must be the beginning of a subject/],
      [prod(`inbox = "${'a'.repeat(129)}"`), /fleets\.prod\.inbox: must be the beginning of a subject/],
      [prod('timeout = 1'), /Unrecognized key: "timeout"/],
      ['[fleets.prod]\nurl = "http://u:hidden@a"\n', /fleets\.prod\.url: must be a URL such as nats:/],
      [prod('secret_file = "~/none"'), /^fleet prod: ENOENT/],
      ['', /is no URL of an engine/, 'https://u:hidden@a'],
      [prod(), /^NEWDT_TOKEN: .*use NEWDT_SECRET/, 'prod', { NEWDT_TOKEN: 't' }],
      [
        '',
        /NEWDT_FLEET_CREDS and NEWDT_FLEET_NKEY/,
        'a:1',
        { NEWDT_FLEET_CREDS: 'c', NEWDT_FLEET_NKEY: 'n' },
      ],
      ['', /NEWDT_FLEET_CERT and NEWDT_FLEET_CERT_KEY/, 'a:1', { NEWDT_FLEET_CERT: 'c' }],
      ['', /NEWDT_FLEET_INBOX/, 'a:1', { NEWDT_FLEET_INBOX: '>' }],
      ['', /NEWDT_FLEET_INBOX/, 'a:1', { NEWDT_FLEET_INBOX: 'a'.repeat(129) }],
    ]
    for (const [text, pattern, name, more] of cases) {
      await assert.rejects(asked(text, name, more), ({ message }: Error) => {
        assert.match(message, pattern)
        assert.doesNotMatch(message, /hidden|\n/)
        return true
      })
    }
  })

  test('with a secret, or a password in its url, is in a file that nobody else may read', async () => {
    for (const text of [prod('secret = "s"'), '[fleets.prod]\nurl = "nats://u:p@a"\n']) {
      write(text, 0o644)
      await assert.rejects(whichFleet(env, 'prod'), /holds secrets that others may read/)
    }
    write(prod('secret_file = "~/secret"'), 0o644)
    await whichFleet(env, 'prod')
  })

  test('stays as it is when hosts beside it are added, chosen and taken out', async () => {
    write(prod('key = "alice"'))
    const { fleets } = await readHosts(env)
    await addHost(env, 'db1', { url: 'http://db1' })
    await useHost(env, 'db1')
    assert.deepEqual((await readHosts(env)).fleets, fleets)
    await removeHost(env, 'db1')
    assert.deepEqual(await readHosts(env), { path, hosts: {}, fleets })
  })
})

describe('a verb', () => {
  const rejects = (args: string[], pattern: RegExp, more: NodeJS.ProcessEnv = {}) =>
    assert.rejects(runVerb(args, { ...env, ...more }), { message: pattern })

  test('that asks no fleet says so, wherever --fleet stands', async () => {
    for (const args of [
      ['--fleet', 'nats://a', 'host', 'ls'],
      ['host', 'ls', '--fleet', 'nats://a'],
      ['--fleet=nats://a', 'sign', 'GET', '/'],
    ])
      await rejects(args, /^newdt (host list|host ls|sign): it asks no fleet/)
  })

  test('that needs a fleet, or a host of it, says how to name one', async () => {
    await rejects(['hosts'], /^which fleet\? --fleet/)
    await rejects(['queue', 'ls'], /^which fleet\?/)
    await rejects(['run', '--any', 'role=db', '--', 'true'], /^which fleet\?/)
    await rejects(
      ['run', '--fleet', 'a:1', '--', 'true'],
      /^on which host of the fleet\? -H NAME, --on or --any/,
    )
    await rejects(['drain'], /^which host of the fleet\? -H NAME; newdt hosts/, { NEWDT_FLEET: 'a:1' })
    await rejects(['ps', '--fleet', 'a:1', '-H', 'http://b'], /^http:\/\/b or --fleet\?/)
  })

  test('asks the agent of a URL directly, whatever NEWDT_FLEET is', async () => {
    await assert.rejects(runVerb(['ps', '-H', 'http://127.0.0.1:9'], { ...env, NEWDT_FLEET: 'a:1' }), {
      word: 'unreachable',
      message: /^127\.0\.0\.1:9: /,
    })
  })

  test('tells in a line that there is no engine', async () => {
    await rejects(
      ['--fleet', 'nats://127.0.0.1:9', 'hosts'],
      /^nats:\/\/127\.0\.0\.1:9: connect ECONNREFUSED 127\.0\.0\.1:9; does the engine, nats-server, run there\?/,
    )
    await rejects(['hosts'], /no credentials of NATS in it/, {
      NEWDT_FLEET: 'nats://127.0.0.1:9',
      NEWDT_FLEET_CREDS: join(home, 'creds'),
    })
  })
})
