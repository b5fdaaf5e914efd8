import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { AgentError } from '../../../lib/base/errors.ts'
import { createAuthenticator } from '../../../lib/security/authenticator.ts'
import type { Key } from '../../../lib/security/keys.ts'
import { createMessageSigner, type MessageToSign } from '../../../lib/security/message-signer.ts'
import { memoryNonces } from '../../support/nonces.ts'

const NOW = 1_800_000_000_000
const HOUR_S = 3600
const ID = 'deploy-42-of-db'
const SECRET = 'a secret of the queue'
const BODY = Buffer.from('{"cmd":"uptime"}')
const TARGET = '/api/jobs/execute/cmd?once=true'
const AUTHORITY = 'db.role.queue.newdt'

const key = (rights: Key['rights'] = new Set(['run'])): Key => ({
  id: 'ci',
  secrets: [SECRET],
  tokens: [],
  ed25519: [],
  certificates: [],
  rights,
  bounds: {},
  expiresAt: undefined,
  from: undefined,
})

interface Changes extends Partial<MessageToSign> {
  /** When it was signed, and when it comes. */
  signedAt?: number
  now?: number
  keys?: Key[]
  secret?: string | KeyObject
  /** What comes, where that is not what was signed. */
  arrives?: { authority?: string; target?: string; id?: string | null; header?: Record<string, string> }
}

const setUp = ({ keys = [key()], now = NOW }: { keys?: Key[]; now?: number } = {}) => {
  let time = now
  const nonces = memoryNonces(() => time)
  const authenticator = createAuthenticator(keys, {
    now: () => time,
    ttlMs: 60_000,
    clockSkewMs: 0,
    nonces,
    authorities: ['db1:8080'],
    isStrict: true,
  })
  const at = (ms: number): void => {
    time = ms
  }
  const arrive = ({ signedAt = NOW, secret = SECRET, arrives = {}, ...message }: Changes = {}) => {
    const sign = createMessageSigner({ keyId: 'ci', key: secret, now: () => signedAt })
    const signed = {
      method: 'POST',
      authority: AUTHORITY,
      target: TARGET,
      body: BODY,
      idempotencyKey: ID,
      expires: NOW / 1000 + HOUR_S,
      ...message,
    }
    const headers = { ...sign(signed), ...arrives.header }
    const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const [path = '', query = ''] = (arrives.target ?? signed.target).split('?')
    return authenticator.authenticate(
      {
        kind: 'message-signature',
        message: {
          method: signed.method,
          authority: arrives.authority ?? signed.authority,
          path,
          query: `?${query}`,
          header: name => byName.get(name),
        },
      },
      {
        address: '',
        isPrivate: false,
        isEncrypted: false,
        isRelayed: true,
        queued: arrives.id === null ? undefined : { id: arrives.id ?? ID, try: 1 },
      },
    )
  }
  return { arrive, authenticator, nonces, at }
}

const refusedAs = (word: string, details?: object) => (error: unknown) =>
  error instanceof AgentError &&
  error.code === word &&
  (details === undefined || JSON.stringify(error.details) === JSON.stringify(details))

test('what has waited for an hour is taken as if it had just been signed, from its signer', () => {
  const { arrive } = setUp({ now: NOW + HOUR_S * 1000 })
  assert.equal(arrive().caller.id, 'ci')
  assert.throws(() => arrive({ arrives: { id: null } }), refusedAs('signature-expired'))
})

test('it comes as often as the engine gives it, until a job of it has ended', () => {
  const { arrive, nonces, at } = setUp()
  for (let tries = 0; tries < 3; tries++) arrive().assertUnused!()
  nonces.useUp('ci', ID, NOW + HOUR_S * 1000)
  nonces.useUp('ci', ID, NOW + HOUR_S * 1000)
  const known = arrive()
  assert.throws(() => known.assertUnused!(), refusedAs('nonce-used'))
  at(NOW + HOUR_S * 1000)
  assert.throws(() => arrive().assertUnused!(), refusedAs('nonce-used'))
  // Another caller may have a job of the same id.
  nonces.assertUnused('other', ID)
})

test('without a time of expiry it is no queued request', () => {
  const { arrive } = setUp()
  assert.throws(
    () => arrive({ expires: undefined }),
    refusedAs('message-signature-malformed', { part: 'expires' }),
  )
})

test('it may wait for seven days, and not a second longer', () => {
  const { arrive } = setUp()
  const week = NOW / 1000 + 7 * 24 * HOUR_S
  assert.equal(arrive({ expires: week }).caller.id, 'ci')
  assert.throws(
    () => arrive({ expires: week + 1 }),
    refusedAs('message-signature-malformed', { part: 'expires' }),
  )
})

test('it is refused from the second on in which it has expired', () => {
  const { arrive, at } = setUp()
  at(NOW + HOUR_S * 1000)
  arrive()
  at(NOW + HOUR_S * 1000 + 1)
  assert.throws(() => arrive(), refusedAs('signature-expired', { seconds: 1 }))
})

test('one from the future is refused', () => {
  const { arrive } = setUp()
  arrive({ signedAt: NOW + 299_000 })
  assert.throws(() => arrive({ signedAt: NOW + 301_000 }), refusedAs('signature-ahead', { seconds: 301 }))
})

test('one for another label, with another query, or by another key is refused', () => {
  const { arrive } = setUp()
  const wrong = refusedAs('signature-wrong')
  assert.throws(() => arrive({ arrives: { authority: 'web.role.queue.newdt' } }), wrong)
  assert.throws(() => arrive({ arrives: { target: '/api/jobs/execute/cmd' } }), wrong)
  assert.throws(() => arrive({ arrives: { target: '/api/jobs/execute/cmd?once=false' } }), wrong)
  assert.throws(() => arrive({ arrives: { target: '/api/jobs/execute/script?once=true' } }), wrong)
  assert.throws(() => arrive({ secret: 'another secret' }), wrong)
})

test('its id is signed: neither another one nor none is taken in its place', () => {
  const { arrive } = setUp()
  const header = { 'Idempotency-Key': 'another-id' }
  assert.throws(() => arrive({ arrives: { id: 'another-id', header } }), refusedAs('signature-wrong'))
  const part = { part: 'idempotency-key' }
  assert.throws(
    () => arrive({ arrives: { id: 'another-id' } }),
    refusedAs('message-signature-malformed', part),
  )
  assert.throws(() => arrive({ idempotencyKey: undefined }), refusedAs('message-signature-malformed', part))
})

test('its body is signed: the digest is that of the body, and there is one', () => {
  const { arrive } = setUp()
  const digest = arrive().signedBody?.sha256
  assert.deepEqual(digest?.length, 32)
  const part = { part: 'content-digest' }
  assert.throws(() => arrive({ body: undefined }), refusedAs('message-signature-malformed', part))
  const header = { 'Content-Digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` }
  assert.throws(() => arrive({ arrives: { header } }), refusedAs('signature-wrong'))
})

test('a key that was revoked while it waited proves nothing any more', () => {
  const { arrive, authenticator } = setUp()
  authenticator.use([])
  assert.throws(() => arrive(), refusedAs('signature-wrong'))
  authenticator.use([{ ...key(), expiresAt: NOW }])
  assert.throws(() => arrive(), refusedAs('key-expired'))
})

test('what has ended leaves room for the nonces of others', () => {
  const nonces = memoryNonces(() => NOW, 4)
  assert.equal(nonces.useUp('ci', 'id-number-1', NOW + 1000), true)
  assert.equal(nonces.useUp('ci', 'id-number-2', NOW + 1000), true)
  assert.equal(nonces.useUp('ci', 'id-number-3', NOW + 1000), false)
  assert.equal(nonces.use('ci', 'a nonce', NOW + 1000), true)
})

test('an Ed25519 key signs what waits, too', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { arrive } = setUp({ keys: [{ ...key(), secrets: [], ed25519: [publicKey] }] })
  assert.equal(arrive({ secret: privateKey }).caller.id, 'ci')
  assert.throws(() => arrive(), refusedAs('signature-wrong'))
})

test('another signature beside its own is refused: it could be taken for that', () => {
  const { arrive } = setUp()
  const sign = createMessageSigner({ keyId: 'ci', key: SECRET, now: () => NOW })
  const own = sign({
    method: 'POST',
    authority: AUTHORITY,
    target: TARGET,
    body: BODY,
    idempotencyKey: ID,
    expires: NOW / 1000 + HOUR_S,
  })
  assert.equal(arrive({ arrives: { header: own } }).caller.id, 'ci')
  const part = { part: 'signature-input' }
  const added = {
    'Signature-Input': `x=("@method");expires=${NOW / 1000 + 2}, ${own['Signature-Input']}`,
    Signature: `x=:AAAA:, ${own.Signature}`,
  }
  for (const name of ['Signature-Input', 'Signature'] as const) {
    const header = { ...own, [name]: added[name] }
    assert.throws(() => arrive({ arrives: { header } }), refusedAs('message-signature-malformed', part))
  }
})
