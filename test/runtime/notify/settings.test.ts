import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from '../../../runtime/config.ts'

const notifyOf = (environment: NodeJS.ProcessEnv) => readConfig(environment).notify

const mistakesOf = (environment: NodeJS.ProcessEnv): string[] => {
  try {
    readConfig(environment)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.mistakes
  }
  return []
}

test('without a setting there are no callbacks', () => {
  const { allow, everyJob, secretFile } = notifyOf({})
  assert.deepEqual([allow.origins, everyJob, secretFile], [[], undefined, undefined])
  assert.equal(allow.addresses.has('127.0.0.1'), false)
})

test('origins are normalized; addresses and ranges are exceptions for them', () => {
  const { allow } = notifyOf({
    AGENT_NOTIFY_ALLOW:
      'HTTPS://CI.example.com:443/, http://0x7f.1:9000,127.0.0.1 ,fd00::/8,https://[::FFFF:1.2.3.4]',
  })
  assert.deepEqual(allow.origins, [
    'https://ci.example.com',
    'http://127.0.0.1:9000',
    'https://[::ffff:102:304]',
  ])
  const { has } = allow.addresses
  assert.deepEqual(['127.0.0.1', '127.0.0.2', 'fd12::1'].map(has), [true, false, true])
})

test('what is no origin, address or range is named by its place, for it may hold a password', () => {
  for (const item of [
    ...['ci.example.com', 'https://ci.example.com/done', 'https://ci.example.com?x', 'ftp://ci', '*'],
    ...['https://u@ci.example.com', '', '127.0.0.1/33', 'https://*.example.com/x', 'localhost'],
    ...['http://*.example.com', 'http://*', 'https://u:SECRET@h:1', 'https://h/?token=SECRET'],
  ])
    assert.deepEqual(mistakesOf({ AGENT_NOTIFY_ALLOW: `127.0.0.1,http://h,${item}` }), [
      `AGENT_NOTIFY_ALLOW: item 3 is neither an origin such as https://ci.example.com, nor an address or CIDR range`,
    ])
})

test('all jobs may be told of to one, of their ends if nothing else is said', () => {
  const AGENT_NOTIFY_ALLOW = 'https://ci.example.com'
  const AGENT_NOTIFY_URL = 'https://ci.example.com/done?token=x#y'
  const url = 'https://ci.example.com/done?token=x'
  assert.deepEqual(notifyOf({ AGENT_NOTIFY_ALLOW, AGENT_NOTIFY_URL }).everyJob, { url, on: ['ended'] })
  const AGENT_NOTIFY_ON = 'failed, rejected,failed'
  assert.deepEqual(notifyOf({ AGENT_NOTIFY_ALLOW, AGENT_NOTIFY_URL, AGENT_NOTIFY_ON }).everyJob, {
    url,
    on: ['failed', 'rejected'],
  })
  assert.deepEqual(mistakesOf({ AGENT_NOTIFY_ALLOW, AGENT_NOTIFY_URL, AGENT_NOTIFY_ON: 'end' }), [
    'AGENT_NOTIFY_ON=end: must be of started, ended, success, failed, canceled, rejected, with commas between them',
  ])
})

test('what goes against another setting is a mistake, and the URL is never shown', () => {
  const AGENT_NOTIFY_ALLOW = 'https://ci.example.com'
  assert.deepEqual(
    mistakesOf({ AGENT_NOTIFY_ALLOW, AGENT_NOTIFY_URL: 'https://other.example.com/?token=SECRET' }),
    ['AGENT_NOTIFY_URL: AGENT_NOTIFY_ALLOW does not have its origin'],
  )
  assert.deepEqual(mistakesOf({ AGENT_NOTIFY_ALLOW, AGENT_NOTIFY_URL: 'https://u:SECRET@ci.example.com/' }), [
    'AGENT_NOTIFY_URL: must be a URL such as https://ci.example.com/done, without a user',
  ])
  assert.deepEqual(mistakesOf({ AGENT_NOTIFY_ON: 'ended' }), [
    'AGENT_NOTIFY_ON: without effect, for AGENT_NOTIFY_URL is not set',
  ])
  assert.deepEqual(mistakesOf({ AGENT_NOTIFY_ALLOW: '127.0.0.1', AGENT_NOTIFY_SECRET_FILE: '/s' }), [
    'AGENT_NOTIFY_ALLOW: without an origin such as https://ci.example.com there are no callbacks',
    'AGENT_NOTIFY_SECRET_FILE: without effect, for AGENT_NOTIFY_ALLOW has no origin',
  ])
})
