import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_KEY } from '../../../lib/security/caller.ts'
import { hashToken, parseKeys, withDefaultKey } from '../../../lib/security/keys.ts'

const HASH = hashToken('token of alice')
const SECRET = 'a secret of sixteen characters'
const file = (...keys: object[]): string => JSON.stringify({ keys })
const ALICE = { id: 'alice', rights: ['read'], token: HASH }

test('a key has an id, rights, and what proves it; the rest is what it may do', () => {
  const [alice, bob] = parseKeys(
    file(ALICE, {
      id: 'bob',
      rights: ['read', 'run'],
      secret: [SECRET, `${SECRET} new`],
      ed25519: Buffer.alloc(32, 1).toString('base64'),
      token: [HASH.replace(/^./, '0'), HASH.replace(/^./, '1')],
      expires: '2027-01-31T00:00:00+08:00',
      from: ['10.0.0.0/8', '2001:db8::1'],
      cwd: ['/srv/../srv/app'],
      commands: ['uptime', `sha256:${'0'.repeat(64)}`],
      timeout: '5m',
      running: 2,
      users: ['deploy', 'app:www-data'],
    }),
  )
  assert.deepEqual(
    [alice!.id, [...alice!.rights], alice!.tokens, alice!.secrets],
    ['alice', ['read'], [HASH], []],
  )
  assert.deepEqual([alice!.expiresAt, alice!.from], [undefined, undefined])
  assert.deepEqual(bob!.secrets, [SECRET, `${SECRET} new`])
  assert.deepEqual(
    bob!.ed25519.map(key => key.export({ format: 'jwk' }).x),
    [Buffer.alloc(32, 1).toString('base64url')],
  )
  assert.equal(bob!.expiresAt, Date.UTC(2027, 0, 30, 16))
  assert.deepEqual(bob!.bounds, {
    cwd: ['/srv/app/'],
    commands: ['uptime', `sha256:${'0'.repeat(64)}`],
    timeoutMs: 300_000,
    running: 2,
    users: ['deploy', 'app:www-data'],
  })
  const checks = ['10.1.2.3', '11.1.2.3'].map(address => bob!.from!.has(address))
  assert.deepEqual([...checks, bob!.from!.has('2001:db8::1')], [true, false, true])
})

const FAULTS: [name: string, text: string, message: RegExp][] = [
  ['no JSON', `{"keys": [{"secret": "${SECRET}"`, /^it is not JSON$/],
  ['no keys', '{}', /^keys: /],
  ['an unknown field of the file', '{"keys": [], "key": 1}', /key/],
  ['a key without an id', file({ rights: ['read'], token: HASH }), /^keys\.0\.id: /],
  ['an id with a blank', file({ ...ALICE, id: 'a b' }), /^keys\.0\.id: must be/],
  ['an unknown right', file({ ...ALICE, rights: ['write'] }), /^keys\.0\.rights\.0: /],
  ['no users', file({ ...ALICE, users: [] }), /^keys\.0\.users: /],
  ['a user by number', file({ ...ALICE, users: ['deploy', '0'] }), /^keys\.0\.users\.1: must be a user/],
  ['a user in text', file({ ...ALICE, users: 'deploy' }), /^keys\.0\.users: /],
  ['no right', file({ ...ALICE, rights: [] }), /^keys\.0\.rights: /],
  [
    'nothing that proves it',
    file({ id: 'alice', rights: ['read'] }),
    /^keys\.0: needs a secret, an ed25519, a token or a certificate$/,
  ],
  ['a token in plain text', file({ ...ALICE, token: 'token of alice' }), /^keys\.0\.token: /],
  [
    'a public key of 31 bytes',
    file({ ...ALICE, ed25519: Buffer.alloc(31).toString('base64') }),
    /^keys\.0\.ed25519: must/,
  ],
  ['a public key in hex', file({ ...ALICE, ed25519: '00'.repeat(32) }), /^keys\.0\.ed25519: must/],
  ['a short secret', file({ ...ALICE, secret: 'short' }), /^keys\.0\.secret: /],
  ['an unknown field', file(ALICE, { ...ALICE, id: 'bob', right: [] }), /^keys\.1: /],
  ['a date that is none', file({ ...ALICE, expires: '2027-02-30' }), /^keys\.0\.expires: must be a time/],
  [
    'an address that is none',
    file({ ...ALICE, from: ['10.0.0.0/33'] }),
    /^keys\.0\.from\.0: must be an address/,
  ],
  ['a relative directory', file({ ...ALICE, cwd: ['srv'] }), /^keys\.0\.cwd\.0: must be an absolute path/],
  [
    'a hash that is none',
    file({ ...ALICE, commands: ['sha256:0'] }),
    /^keys\.0\.commands\.0: must be sha256/,
  ],
  [
    'a script of an unknown type',
    file({ ...ALICE, commands: [`sha256:${HASH}:perl`] }),
    /^keys\.0\.commands\.0: must be sha256/,
  ],
  [
    'a timeout that no timer can wait for',
    file({ ...ALICE, timeout: '30d' }),
    /^keys\.0\.timeout: must be a duration .* at most 24d/,
  ],
  [
    'a field twice',
    file(ALICE).replace('"rights"', '"rights":["admin"],"\\u0072ights"'),
    /^an object has "rights" twice$/,
  ],
  ['a timeout that is none', file({ ...ALICE, timeout: '5' }), /^keys\.0\.timeout: must be a duration/],
  ['no job at a time', file({ ...ALICE, running: 0 }), /^keys\.0\.running: /],
  [
    'an id twice',
    file(ALICE, { ...ALICE, token: HASH.replace(/^./, 'f') }),
    /^keys\.1: has the same id as keys\.0$/,
  ],
  ['a token twice', file(ALICE, { ...ALICE, id: 'bob' }), /^keys\.1: has the same token as keys\.0$/],
]

for (const [name, text, message] of FAULTS) {
  test(`a file with ${name} is refused, in words that name it and hold no secret`, () => {
    assert.throws(
      () => parseKeys(text),
      (error: Error) => message.test(error.message) && !error.message.includes(SECRET),
    )
  })
}

test("the contract's secret has all rights, unless the file says otherwise", () => {
  const [alone] = withDefaultKey([], ['s'])
  assert.deepEqual(
    [alone!.id, [...alone!.rights], alone!.secrets],
    [DEFAULT_KEY, ['read', 'run', 'admin'], ['s']],
  )
  const given = parseKeys(file(ALICE, { id: DEFAULT_KEY, rights: ['read'] }))
  const [bounded, alice, ...others] = withDefaultKey(given, ['s', 't'])
  assert.deepEqual([bounded!.id, [...bounded!.rights], bounded!.secrets], [DEFAULT_KEY, ['read'], ['s', 't']])
  assert.deepEqual([alice!.id, others], ['alice', []])
})

test('two keys cannot share a secret: nobody would know who asks', () => {
  const given = parseKeys(file({ id: 'bob', rights: ['read'], secret: SECRET }))
  assert.throws(() => withDefaultKey(given, [SECRET]), /one of them has the secret of the key "default"/)
})
