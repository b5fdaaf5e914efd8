import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isHostName } from '../../../lib/fleet/names.ts'
import { ConfigError, readConfig } from '../../../runtime/config.ts'
import { defaultName } from '../../../runtime/nats/settings.ts'

const mistakesOf = (environment: NodeJS.ProcessEnv): string[] => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.mistakes
  }
}

const URL_OF_ENGINE = 'nats://127.0.0.1:4222'

test('an agent without the URL of an engine is in no fleet', () => {
  assert.equal(readConfig({}).fleet, undefined)
  const alone = { AGENT_NAME: 'db1', AGENT_LABELS: 'a=b', AGENT_NATS_CREDS: '/c', AGENT_QUEUE: 'off' }
  for (const [name, value] of Object.entries(alone))
    assert.deepEqual(mistakesOf({ [name]: value }), [`${name}: without AGENT_NATS_URL there is no fleet`])
})

test('an agent of a fleet has the name of its host, and no labels, unless it is told otherwise', () => {
  const { fleet } = readConfig({ AGENT_NATS_URL: URL_OF_ENGINE })
  assert.ok(fleet && isHostName(fleet.name))
  assert.deepEqual([fleet.labels, fleet.takesQueue, fleet.engine.inbox], [[], true, '_INBOX'])
  assert.deepEqual([fleet.engine.user, fleet.engine.tls], [undefined, undefined])
})

test('any name of a host becomes one of a fleet', () => {
  assert.equal(defaultName('DB1.Example.com'), 'db1.example.com')
  assert.equal(defaultName('my_host'), 'my-host')
  assert.equal(defaultName('...'), 'localhost')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), name =>
      assert.ok(isHostName(defaultName(name))),
    ),
  )
})

test('a URL of an engine may prove who connects; with TLS asked for anywhere it is used everywhere', () => {
  const engineOf = (AGENT_NATS_URL: string, more = {}) =>
    readConfig({ AGENT_NATS_URL, ...more }).fleet?.engine
  assert.deepEqual(engineOf('nats://token@host')?.user, { name: 'token', password: undefined })
  assert.deepEqual(engineOf('nats://a, nats://me:pw@b:1')?.user, { name: 'me', password: 'pw' })
  assert.deepEqual(engineOf('nats://a, nats://me:pw@b:1')?.servers, ['nats://a', 'nats://b:1'])
  assert.deepEqual(engineOf('nats://a,tls://b')?.tls, {})
  assert.deepEqual(engineOf('nats://a', { AGENT_NATS_TLS_CA: '/ca' })?.tls, { caFile: '/ca' })
})

test('a mistake in the URL of an engine never shows its password', () => {
  for (const url of [
    'nats:/x:pass-word@a',
    'http://me:pass-word@host',
    'me:pass-word@host',
    'nats://me:pass-word@host/x',
    '',
  ]) {
    const [line, ...more] = mistakesOf({ AGENT_NATS_URL: url })
    assert.match(line ?? '', /^AGENT_NATS_URL: must be URLs such as/)
    assert.ok(!line?.includes('pass-word'))
    assert.deepEqual(more, [])
  }
})

test('a password that cannot be told is a mistake that names the setting, and does not show it', () => {
  for (const url of [
    'nats://me:pass%word@a',
    'nats://pass%zz@a',
    'nats://:pass-word@a',
    'nats://a,nats://:p%@b',
  ]) {
    const [line, ...more] = mistakesOf({ AGENT_NATS_URL: url })
    assert.equal(line, 'AGENT_NATS_URL: must have a user before a password, and %25 for each % in them')
    assert.deepEqual(more, [])
  }
  const { fleet } = readConfig({ AGENT_NATS_URL: 'nats://me:pass%25word@a' })
  assert.equal(fleet?.engine.user?.password, 'pass%word')
})

test('what no agent of a fleet can have is a mistake', () => {
  const wrong: [string, string[], RegExp][] = [
    ['AGENT_NAME', ['', 'DB1', 'a b', '-a', 'x'.repeat(64), 'a*'], /must be the name of a host/],
    ['AGENT_LABELS', ['', 'a', 'a=b,', 'a=b,a=c', 'A=b', 'a=*', labels(17)], /at most 16 labels/],
    ['AGENT_NATS_CREDS', [''], /must not be empty/],
    ['AGENT_NATS_INBOX', ['', 'a b', 'a.*', 'a.>', '.a', 'a.'], /the beginning of a subject/],
    ['AGENT_QUEUE', ['', 'yes'], /must be on or off/],
  ]
  for (const [name, values, message] of wrong) {
    for (const value of values) {
      const [line, ...more] = mistakesOf({ AGENT_NATS_URL: URL_OF_ENGINE, [name]: value })
      assert.ok(line?.startsWith(`${name}=${value}: `), line)
      assert.match(line ?? '', message)
      assert.deepEqual(more, [])
    }
  }
  assert.deepEqual(mistakesOf({ AGENT_NATS_URL: URL_OF_ENGINE, AGENT_LABELS: labels(16) }), [])
})

const labels = (count: number): string => Array.from({ length: count }, (_, n) => `l${n}=x`).join(',')

test('settings that do not go together are a mistake', () => {
  const together = (settings: NodeJS.ProcessEnv) =>
    mistakesOf({ AGENT_NATS_URL: URL_OF_ENGINE, ...settings }).join()
  assert.match(together({ AGENT_NATS_CREDS: '/a', AGENT_NATS_NKEY: '/b' }), /only one of them may be set/)
  assert.match(together({ AGENT_NATS_TLS_CERT: '/a' }), /a certificate needs its key/)
  assert.match(together({ AGENT_NATS_TLS_KEY: '/a' }), /a certificate needs its key/)
})

test('without a port an engine is needed, and nothing may say how HTTP is served', () => {
  assert.deepEqual(mistakesOf({ AGENT_PORT: 'off', AGENT_NATS_URL: URL_OF_ENGINE }), [])
  assert.equal(readConfig({ AGENT_PORT: 'off', AGENT_NATS_URL: URL_OF_ENGINE }).hasConsole, false)
  assert.match(mistakesOf({ AGENT_PORT: 'off' }).join(), /without AGENT_NATS_URL nobody could ask/)
  const ofHttp = {
    AGENT_HOST: '::1',
    AGENT_TLS_CLIENT_CA: '/ca',
    AGENT_TRUSTED_PROXIES: '10.0.0.1',
    AGENT_AUTHORITIES: 'db1.example.com',
    AGENT_CONSOLE: 'on',
  }
  for (const [name, value] of Object.entries(ofHttp)) {
    const mistakes = mistakesOf({ AGENT_PORT: 'off', AGENT_NATS_URL: URL_OF_ENGINE, [name]: value })
    assert.ok(mistakes.includes(`${name}: without effect where AGENT_PORT is off`), mistakes.join())
  }
  const tls = { AGENT_TLS_CERT: '/c', AGENT_TLS_KEY: '/k' }
  assert.deepEqual(mistakesOf({ AGENT_PORT: 'off', AGENT_NATS_URL: URL_OF_ENGINE, ...tls }), [
    'AGENT_TLS_CERT, AGENT_TLS_KEY: without effect where AGENT_PORT is off',
  ])
  const metrics = { AGENT_METRICS_LISTEN: '10.0.0.1:9464', AGENT_ALLOW: '10.0.0.0/8' }
  assert.deepEqual(mistakesOf({ AGENT_PORT: 'off', AGENT_NATS_URL: URL_OF_ENGINE, ...metrics }), [])
  assert.match(
    mistakesOf({ AGENT_PORT: 'off', AGENT_NATS_URL: URL_OF_ENGINE, AGENT_ALLOW: '10.0.0.0/8' }).join(),
    /^AGENT_ALLOW: without effect/,
  )
})
