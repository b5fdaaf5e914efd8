import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../lib/base/errors.ts'
import {
  type AuthenticatorOptions,
  type Client,
  type Credentials,
  createAuthenticator,
} from '../../../lib/security/authenticator.ts'
import { hashToken, parseKeys, withDefaultKey } from '../../../lib/security/keys.ts'
import { createSigner } from '../../../lib/security/md5-signature.ts'
import { createMessageSigner } from '../../../lib/security/message-signer.ts'
import { memoryNonces } from '../../support/nonces.ts'

const NOW = 1_800_000_000_000
const SIGN_AT = String(NOW / 1000)
const TOKEN = 'nda_0123456789abcdef'
const KEYS = parseKeys(
  JSON.stringify({
    keys: [
      { id: 'alice', rights: ['read'], token: hashToken(TOKEN), secret: 'the secret of alice' },
      { id: 'old', rights: ['read'], token: hashToken('old'), expires: new Date(NOW).toISOString() },
      { id: 'near', rights: ['read'], token: hashToken('near'), from: ['10.0.0.0/8', '2001:db8::/32'] },
    ],
  }),
)
const ring = (options: Partial<AuthenticatorOptions> = {}) =>
  createAuthenticator(withDefaultKey(KEYS, ['the contract’s secret']), {
    ttlMs: 60_000,
    clockSkewMs: 10_000,
    now: () => NOW,
    nonces: memoryNonces(() => NOW),
    isStrict: false,
    ...options,
  })
const LOCAL: Client = { address: '127.0.0.1', isPrivate: true, isEncrypted: false }

const signature = (secret: string, signAt = SIGN_AT) =>
  ({ kind: 'signature', sign: createSigner(secret).sign(signAt), signAt }) as const
const token = (text: string) => ({ kind: 'token', token: text }) as const

const refuses = (
  credentials: Parameters<ReturnType<typeof ring>['authenticate']>[0],
  code: string,
  client: Client = LOCAL,
  details: object = {},
) =>
  assert.throws(
    () => ring().authenticate(credentials, client),
    (error: unknown) => {
      assert.ok(error instanceof AgentError)
      assert.deepEqual([error.code, error.details], [code, details])
      return true
    },
  )

test('each key is known by its own secret or token, with its own rights', () => {
  const { authenticate } = ring()
  const byDefault = authenticate(signature('the contract’s secret'), LOCAL).caller
  assert.deepEqual([byDefault.id, [...byDefault.rights]], ['default', ['read', 'run', 'admin']])
  for (const credentials of [signature('the secret of alice'), token(TOKEN)]) {
    const alice = authenticate(credentials, LOCAL).caller
    assert.deepEqual([alice.id, [...alice.rights], alice.address], ['alice', ['read'], '127.0.0.1'])
  }
})

test('what is refused says why, and by how much a clock is wrong', () => {
  const late = String(NOW / 1000 - 67)
  const early = String(NOW / 1000 + 17)
  refuses(signature('the secret of bob'), 'signature-wrong')
  refuses({ kind: 'signature', sign: 'x', signAt: SIGN_AT }, 'signature-malformed')
  refuses(signature('the secret of alice', late), 'signature-expired', LOCAL, { seconds: 7 })
  refuses(signature('the secret of alice', early), 'signature-ahead', LOCAL, { seconds: 17 })
  refuses(token(`${TOKEN}0`), 'token-wrong')
})

test('a token that others on the network could read is refused, right or wrong', () => {
  const open: Client = { address: '192.0.2.1', isPrivate: false, isEncrypted: false }
  for (const text of [TOKEN, 'wrong']) refuses(token(text), 'token-insecure', open)
  assert.equal(ring().authenticate(signature('the secret of alice'), open).caller.id, 'alice')
})

test('a key is good until the moment it expires, and from its addresses, however they are written', () => {
  refuses(token('old'), 'key-expired')
  const from = (address: string): Client => ({ address, isPrivate: true, isEncrypted: false })
  for (const address of ['10.0.0.1', '::ffff:10.255.255.255', '2001:db8:1::1']) {
    assert.equal(ring().authenticate(token('near'), from(address)).caller.id, 'near')
  }
  for (const address of ['11.0.0.1', '::ffff:11.0.0.1', '2001:db9::1', '::1', '']) {
    refuses(token('near'), 'address-not-allowed', from(address), { address })
  }
})

test('a strict agent takes no credential that others could use again', () => {
  const strict = ring({ isStrict: true })
  const tried = (credentials: Credentials, isEncrypted: boolean): string => {
    try {
      return strict.authenticate(credentials, { ...LOCAL, isEncrypted }).caller.id
    } catch (error) {
      return (error as AgentError).code
    }
  }
  for (const isEncrypted of [true, false])
    assert.equal(tried(signature('the secret of alice'), isEncrypted), 'credential-too-weak')
  assert.deepEqual([tried(token(TOKEN), false), tried(token(TOKEN), true)], ['credential-too-weak', 'alice'])
})

test('keys that take the place of others are the only ones from then on', () => {
  const authenticator = ring()
  authenticator.use(withDefaultKey([], ['new', 'old']))
  for (const secret of ['new', 'old'])
    assert.equal(authenticator.authenticate(signature(secret), LOCAL).caller.id, 'default')
  assert.throws(() => authenticator.authenticate(token(TOKEN), LOCAL), { code: 'token-wrong' })
  assert.throws(() => authenticator.authenticate(signature('the secret of alice'), LOCAL), {
    code: 'signature-wrong',
  })
})

test('who has been let in is known as the keys are now: taken out, expired, with other rights', () => {
  let now = NOW
  const authenticator = ring({ now: () => now })
  const used = [signature('the contract’s secret'), signature('the secret of alice'), token(TOKEN)].map(
    credentials => authenticator.authenticate(credentials, LOCAL),
  )
  const idsNow = () => used.map(({ callerNow }) => callerNow()?.id)
  // Long after the signatures are too old for a new request.
  now += 24 * 3600_000
  assert.deepEqual(idsNow(), ['default', 'alice', 'alice'])

  const aliceAs = (more: object) =>
    parseKeys(JSON.stringify({ keys: [{ id: 'alice', rights: ['run'], ...more }] }))
  authenticator.use(withDefaultKey(aliceAs({ token: hashToken(TOKEN) }), ['the contract’s secret']))
  assert.deepEqual(idsNow(), ['default', undefined, 'alice'])
  assert.deepEqual([...used[2]!.callerNow()!.rights], ['run'])
  authenticator.use(aliceAs({ token: hashToken(TOKEN), expires: new Date(now + 1).toISOString() }))
  assert.deepEqual(idsNow(), [undefined, undefined, 'alice'])
  now += 1
  assert.deepEqual(idsNow(), [undefined, undefined, undefined])
})

test('ten thousand changed credentials of each kind let nobody in, and throw nothing unexpected', () => {
  const { authenticate } = ring()
  const right = signature('the secret of alice')
  const changed = (text: string) =>
    fc
      .tuple(fc.nat(text.length), fc.nat(1), fc.string({ maxLength: 2, unit: 'binary' }))
      .map(([at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed))
      .filter(other => other !== text)
  const credentials = fc.oneof(
    changed(right.sign).map(sign => ({ ...right, sign })),
    changed(right.signAt).map(signAt => ({ ...right, signAt })),
    changed(TOKEN).map(token),
    fc.string({ unit: 'binary' }).map(token),
  )
  fc.assert(
    fc.property(credentials, wrong => {
      assert.throws(() => authenticate(wrong, LOCAL), AgentError)
    }),
    { numRuns: 20_000 },
  )
})

const RELAYED: Client = { address: '', isPrivate: false, isEncrypted: false, isRelayed: true }

test('what others have read on its way, and could send again, proves nothing', () => {
  refuses(signature('the contract’s secret'), 'credential-too-weak', RELAYED)
  refuses(token(TOKEN), 'token-insecure', RELAYED)
})

test('a message that was relayed is for the authority that it was sent to, whatever the agent is called elsewhere', () => {
  const message = (authority: string): Credentials => {
    const signing = { method: 'GET', authority, target: '/api/jobs' }
    const signer = createMessageSigner({ keyId: 'alice', key: 'the secret of alice', now: () => NOW })
    const headers = new Headers(signer(signing))
    const header = (name: string) => headers.get(name) ?? undefined
    return {
      kind: 'message-signature',
      message: { method: 'GET', authority, path: '/api/jobs', query: '?', header },
    }
  }
  const { authenticate } = ring({ authorities: ['db1.example.com'] })
  assert.equal(authenticate(message('db1.host.newdt'), RELAYED).caller.id, 'alice')
  assert.throws(() => authenticate(message('db1.host.newdt'), LOCAL), { code: 'authority-wrong' })
  // One that has read it could send it to the port of another agent, whatever that one is called.
  for (const authorities of [undefined, ['db1.host.newdt', 'all.newdt:8080', 'db.role.queue.newdt']])
    for (const authority of ['db1.host.newdt', 'all.newdt:8080', 'db.role.queue.newdt']) {
      const sent = () => ring({ authorities }).authenticate(message(authority), LOCAL)
      assert.throws(sent, { code: 'authority-wrong' }, authority)
    }
})
