import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUser } from '../../../lib/base/user-name.ts'
import { accountVariables, createAccounts, userEnvironment, userOf } from '../../../lib/jobs/account.ts'
import type { Account } from '../../../lib/process/types.ts'
import { fakeSupport } from '../../support/fake-processes.ts'
import { recordingLog } from '../../support/recording-log.ts'

const account = (name: string, uid: number, groups: number[] = []): Account => ({
  name,
  uid,
  gid: uid,
  groups: [uid, ...groups],
  home: `/home/${name}`,
  shell: '/bin/sh',
})
const USERS = [account('deploy', 1001, [33]), account('app', 1002), account('root', 0)]
const GROUPS = { 'www-data': 33, root: 0, app: 1002 }

/** What comes of a user, and what the user database was asked. */
const accountFor = async (
  runAs: string[],
  user: string,
  { users, missing }: { users?: string[]; missing?: string } = {},
) => {
  const support = fakeSupport(USERS, GROUPS)
  const { log } = recordingLog()
  const processes = { ...support, userSupport: () => missing }
  const accounts = createAccounts({ processes, runAs, log })
  const got = await accounts.accountOf(user, { users }).then(
    ({ name, gid }) => `${name} ${gid}`,
    ({ code, details }) => [code, details],
  )
  return { got, asked: support.asked }
}

test('a user of the list is found, also with a group that the list names', async () => {
  assert.deepEqual((await accountFor(['app', 'deploy'], 'deploy')).got, 'deploy 1001')
  assert.deepEqual((await accountFor(['deploy:root'], 'deploy:root')).got, 'deploy 0')
})

test('a user of the list may take a group of his own, and no other', async () => {
  assert.deepEqual((await accountFor(['deploy'], 'deploy:www-data')).got, 'deploy 33')
  for (const user of ['deploy:root', 'deploy:app', 'deploy:none']) {
    assert.deepEqual((await accountFor(['deploy'], user)).got, ['user-not-allowed', { user }], user)
  }
})

test('who is allowed with a group only is not allowed without it, or with another', async () => {
  for (const user of ['deploy', 'deploy:app'])
    assert.deepEqual(await accountFor(['deploy:www-data'], user), {
      got: ['user-not-allowed', { user }],
      asked: [],
    })
})

test('nothing is looked up for who is not allowed, so that nobody learns which users there are', async () => {
  for (const user of ['root', 'nobody', 'root:www-data', 'Deploy', 'deploy2'])
    assert.deepEqual(await accountFor(['deploy'], user), {
      got: ['user-not-allowed', { user }],
      asked: [],
    })
  assert.deepEqual((await accountFor([], 'deploy')).asked, [])
})

test('where the agent cannot change users it says what is missing, whoever is asked for', async () => {
  for (const user of ['deploy', 'root'])
    assert.deepEqual(await accountFor(['deploy'], user, { missing: 'root' }), {
      got: ['cannot-run-as', { missing: 'root' }],
      asked: [],
    })
})

test('an allowed user or group that does not exist is told by its name', async () => {
  assert.deepEqual((await accountFor(['gone'], 'gone')).got, ['unknown-user', { user: 'gone' }])
  assert.deepEqual((await accountFor(['gone:app'], 'gone:app')).got, ['unknown-user', { user: 'gone' }])
  assert.deepEqual((await accountFor(['app:gone'], 'app:gone')).got, ['unknown-group', { group: 'gone' }])
})

test('a user must be in the list of the key, and in that of the agent', async () => {
  const got = async (runAs: string[], users: string[], user: string) =>
    (await accountFor(runAs, user, { users })).got
  assert.equal(await got(['deploy'], ['deploy:www-data'], 'deploy:www-data'), 'deploy 33')
  assert.equal(await got(['deploy:root'], ['deploy:root'], 'deploy:root'), 'deploy 0')
  assert.deepEqual(await got(['app'], ['deploy'], 'deploy'), ['user-not-allowed', { user: 'deploy' }])
  // The agent has it to the letter, but the key only with a group of the user's own.
  assert.deepEqual(await got(['deploy:root'], ['deploy'], 'deploy:root'), [
    'out-of-bounds',
    { field: 'user', allowed: 'deploy' },
  ])
})

test('a user database that does not answer is told as that, and the cause is in the log', async () => {
  const { log, lines } = recordingLog()
  const findAccount = () => Promise.reject(new Error('EIO'))
  const processes = { ...fakeSupport(), findAccount }
  const { accountOf } = createAccounts({ processes, runAs: ['deploy'], log })
  await assert.rejects(accountOf('deploy', {}), { code: 'users-not-readable' })
  await assert.rejects(accountOf('deploy:app', {}), { code: 'users-not-readable' })
  assert.equal(lines[0]?.message, 'the user database cannot be read')
})

test('a key without users asks as it likes; one with users never gets the agent itself', () => {
  assert.equal(userOf(undefined, {}), undefined)
  assert.equal(userOf('deploy', {}), 'deploy')
  assert.equal(userOf(undefined, { users: ['deploy:app'] }), 'deploy:app')
  assert.equal(userOf('app', { users: ['deploy', 'app'] }), 'app')
  assert.equal(userOf('app:x', { users: ['deploy', 'app'] }), 'app:x')
  for (const user of [undefined, 'root', 'deploy:x', 'deployed']) {
    const users = ['deploy:app', 'app']
    const error = { code: 'out-of-bounds', details: { field: 'user', allowed: 'deploy:app, app' } }
    assert.throws(() => userOf(user, { users }), error, user)
  }
})

test('of the environment of the agent a user gets the path, the language and the time zone', () => {
  const kept = { PATH: '/bin', LANG: 'C', LANGUAGE: 'en', LC_ALL: 'C', LC_TIME: 'C', TZ: 'UTC' }
  const env = { ...kept, HOME: '/root', AWS_SECRET: 'x', LD_PRELOAD: 'x', MY_PATH: 'x', LC: 'x', TZDIR: 'x' }
  assert.deepEqual(userEnvironment(env), kept)
})

test('a user has a home, names and a shell; bash where that is none to work with', () => {
  assert.deepEqual(accountVariables(USERS[0]!), {
    HOME: '/home/deploy',
    USER: 'deploy',
    LOGNAME: 'deploy',
    SHELL: '/bin/sh',
  })
  assert.equal(accountVariables({ ...USERS[0]!, home: '' }).HOME, '/')
  for (const shell of ['', '/usr/sbin/nologin', '/sbin/nologin', '/bin/false', '/usr/bin/false'])
    assert.equal(accountVariables({ ...USERS[0]!, shell }).SHELL, '/bin/bash', shell)
  assert.equal(accountVariables({ ...USERS[0]!, shell: '/opt/nologin/zsh' }).SHELL, '/opt/nologin/zsh')
})

test('a user is a name, perhaps with a group, and no number', () => {
  for (const user of [
    'deploy',
    '_x',
    'a.b-c_d',
    'EX\\alice',
    'alice@example.com',
    'host$',
    'deploy:www-data',
  ])
    assert.ok(isUser(user), user)
  for (const user of [
    '',
    '0',
    '+0',
    '-1',
    '1000',
    '0x0',
    'a:b:c',
    ':',
    'a:',
    ':a',
    'a:0',
    'a b',
    'a\0',
    'a\n',
    '$',
    'a$b',
    'root,x',
    'ünal',
    `a${'b'.repeat(255)}`,
  ])
    assert.ok(!isUser(user), user)
})
