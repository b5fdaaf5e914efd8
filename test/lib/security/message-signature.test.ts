import assert from 'node:assert/strict'
import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  verify,
} from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Item, parseDictionary } from 'structured-headers'
import { AgentError } from '../../../lib/base/errors.ts'
import { createAuthenticator } from '../../../lib/security/authenticator.ts'
import { parseKeys } from '../../../lib/security/keys.ts'
import { type SignableMessage, signatureBase } from '../../../lib/security/message-signature.ts'
import { createMessageSigner } from '../../../lib/security/message-signer.ts'
import { memoryNonces } from '../../support/nonces.ts'

describe('the examples of RFC 9421', () => {
  const fields: Record<string, string> = {
    date: 'Tue, 20 Apr 2021 02:07:55 GMT',
    'content-type': 'application/json',
    'content-length': '18',
  }
  const message: SignableMessage = {
    method: 'POST',
    authority: 'example.com',
    path: '/foo',
    query: '?param=Value&Pet=dog',
    header: name => fields[name],
  }
  const baseOf = (input: string) =>
    signatureBase(message, [...parseDictionary(input).values()][0] as [Item[], Item[1]])

  test('B.2.5: hmac-sha256', () => {
    const secret = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=='
    const base = baseOf(
      'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    )
    assert.equal(
      base,
      '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n"content-type": application/json\n' +
        '"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    )
    const signature = createHmac('sha256', Buffer.from(secret, 'base64')).update(base).digest('base64')
    assert.equal(signature, 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=')
  })

  test('B.2.6: ed25519', () => {
    const base = baseOf(
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    )
    const publicKey = createPublicKey(
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----',
    )
    const signature =
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=='
    assert.ok(verify(null, Buffer.from(base), publicKey, Buffer.from(signature, 'base64')))
  })
})

const NOW = 1_800_000_000_000
const MINUTE = 60_000
const SECRET = 'the secret of the platform'
const AUTHORITY = 'db1.example.com:8080'
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const KEYS = parseKeys(
  JSON.stringify({
    keys: [
      {
        id: 'platform',
        rights: ['run'],
        secret: SECRET,
        ed25519: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64'),
      },
      { id: 'token-only', rights: ['run'], token: createHash('sha256').update('t').digest('hex') },
      { id: 'old', rights: ['run'], secret: `${SECRET} (old)`, expires: new Date(NOW).toISOString() },
    ],
  }),
)
const CLIENT = { address: '192.0.2.1', isPrivate: false, isEncrypted: false }
const BODY = Buffer.from('{"cmd":"true"}')

const createRing = (now = () => NOW, authorities?: string[]) =>
  createAuthenticator(KEYS, {
    ttlMs: 0,
    clockSkewMs: 0,
    now,
    nonces: memoryNonces(now),
    isStrict: true,
    authorities,
  })

interface Sent {
  method: string
  authority: string
  path: string
  query: string
  headers: Record<string, string>
}

interface Signing {
  keyId?: string
  key?: string | KeyObject
  now?: number
  target?: string
  idempotencyKey?: string
}

const signedRequest = ({
  keyId = 'platform',
  key = SECRET,
  now = NOW,
  target = '/api/jobs?limit=1',
  idempotencyKey,
}: Signing = {}): Sent => {
  const [path, query = ''] = target.split('?')
  const headers = createMessageSigner({ keyId, key, now: () => now })({
    method: 'POST',
    authority: AUTHORITY,
    target,
    body: BODY,
    idempotencyKey,
  })
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  return { method: 'POST', authority: AUTHORITY, path: path!, query: `?${query}`, headers: lower }
}

const credentials = ({ headers, ...message }: Sent) => ({
  kind: 'message-signature' as const,
  message: { ...message, header: (name: string) => headers[name] },
})

const codeOf = (sent: Sent, ring = createRing()): string => {
  try {
    return ring.authenticate(credentials(sent), CLIENT).caller.id
  } catch (error) {
    assert.ok(error instanceof AgentError, String(error))
    return error.code
  }
}

for (const [name, key] of [
  ['hmac-sha256', SECRET],
  ['ed25519', privateKey],
] as const) {
  test(`a request that is signed by ${name} is let in, once, with what it says of its body`, () => {
    const ring = createRing()
    const sent = signedRequest({ key })
    const { caller, signedBody } = ring.authenticate(credentials(sent), CLIENT)
    assert.equal(caller.id, 'platform')
    assert.deepEqual(signedBody, { sha256: createHash('sha256').update(BODY).digest() })
    assert.equal(codeOf(sent, ring), 'nonce-used')
    assert.equal(codeOf(signedRequest({ key }), ring), 'platform')
  })

  test(`a signature by ${name} covers method, host, path, query and body`, () => {
    const sent = signedRequest({ key })
    const digest = { ...sent.headers, 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` }
    for (const change of [
      { method: 'GET' },
      { authority: 'db2.example.com:8080' },
      { path: '/api/job' },
      { query: '?' },
      { query: '?limit=2' },
      { headers: digest },
    ]) {
      assert.equal(codeOf({ ...sent, ...change }), 'signature-wrong', JSON.stringify(change))
    }
  })

  test(`a signature by ${name} covers the Idempotency-Key that there is, or is none`, () => {
    const sent = signedRequest({ key, idempotencyKey: 'k' })
    const { 'idempotency-key': _, ...without } = sent.headers
    const other = { ...without, 'idempotency-key': 'other' }
    assert.equal(codeOf(sent), 'platform')
    assert.equal(codeOf({ ...sent, headers: other }), 'signature-wrong')
    assert.equal(codeOf({ ...sent, headers: without }), 'message-signature-malformed')
  })

  test(`a signature by ${name} is good for five minutes each way, to the second`, () => {
    const at = (now: number) =>
      codeOf(
        signedRequest({ key }),
        createRing(() => now),
      )
    assert.equal(at(NOW + 5 * MINUTE), 'platform')
    assert.equal(at(NOW + 5 * MINUTE + 1), 'signature-expired')
    assert.equal(at(NOW - 5 * MINUTE), 'platform')
    assert.equal(at(NOW - 5 * MINUTE - 1), 'signature-ahead')
  })

  test(`ten thousand changed signatures by ${name} let nobody in, and throw nothing unexpected`, () => {
    const ring = createRing()
    const sent = signedRequest({ key })
    const names = Object.keys(sent.headers)
    const wrong = fc
      .tuple(fc.constantFrom(...names), fc.nat(1000), fc.nat(3), fc.string({ maxLength: 3, unit: 'binary' }))
      .map(([name, at, removed, added]) => {
        const value = sent.headers[name]!
        const index = at % value.length
        return { name, value: value.slice(0, index) + added + value.slice(index + removed) }
      })
      .filter(({ name, value }) => !isSameField(value, sent.headers[name]!))
    fc.assert(
      fc.property(wrong, ({ name, value }) => {
        const code = codeOf({ ...sent, headers: { ...sent.headers, [name]: value } }, ring)
        assert.notEqual(code, 'platform')
      }),
      { numRuns: 10_000 },
    )
    assert.equal(codeOf(sent, ring), 'platform')
  })
}

/** Blanks and the label that a field is written with are not signed. */
const isSameField = (one: string, other: string): boolean => {
  try {
    return JSON.stringify(membersOf(one)) === JSON.stringify(membersOf(other))
  } catch {
    return false
  }
}

const membersOf = (field: string) =>
  [...parseDictionary(field)].map(([name, member]) => [
    name,
    JSON.stringify(member, (_key, value) =>
      value instanceof Map
        ? [...value]
        : value instanceof ArrayBuffer
          ? Buffer.from(value).toString('hex')
          : value,
    ),
  ])

test('a signer may shorten the window by `expires`, never make it longer', () => {
  const signed = (expires: number) => {
    const sent = signedRequest()
    const input = `${sent.headers['signature-input']};expires=${expires}`
    const list = [...parseDictionary(input).values()][0] as [Item[], Item[1]]
    const base = signatureBase(credentials(sent).message, list)
    const bytes = createHmac('sha256', SECRET).update(base).digest('base64')
    return { ...sent, headers: { ...sent.headers, 'signature-input': input, signature: `newdt=:${bytes}:` } }
  }
  const at = (now: number, expires: number) =>
    codeOf(
      signed(expires),
      createRing(() => now),
    )
  const second = NOW / 1000
  assert.equal(at(NOW + 10_000, second + 10), 'platform')
  assert.equal(at(NOW + 10_001, second + 10), 'signature-expired')
  assert.equal(at(NOW + 5 * MINUTE + 1, second + 3600), 'signature-expired')
})

test('who has not the key is told the same, whether there is such a key or not', () => {
  for (const keyId of ['platform', 'token-only', 'nobody', '__proto__']) {
    assert.equal(codeOf(signedRequest({ keyId, key: 'another secret' })), 'signature-wrong')
    const other = generateKeyPairSync('ed25519').privateKey
    assert.equal(codeOf(signedRequest({ keyId, key: other })), 'signature-wrong')
  }
  assert.equal(codeOf(signedRequest({ keyId: 'old', key: `${SECRET} (old)` })), 'key-expired')
})

test('a signature for one host is none for another that shares the key', () => {
  assert.equal(
    codeOf(
      signedRequest(),
      createRing(() => NOW, [AUTHORITY]),
    ),
    'platform',
  )
  assert.equal(
    codeOf(
      signedRequest(),
      createRing(() => NOW, ['db2.example.com:8080']),
    ),
    'authority-wrong',
  )
})

test('what is missing of the profile is named', () => {
  const sent = signedRequest()
  const input = sent.headers['signature-input']!
  const partOf = (headers: Record<string, string | undefined>): unknown => {
    try {
      const all = { ...sent.headers, ...headers } as Record<string, string>
      createRing().authenticate(credentials({ ...sent, headers: all }), CLIENT)
      return assert.fail('it was let in')
    } catch (error) {
      assert.equal((error as AgentError).code, 'message-signature-malformed')
      return ((error as AgentError).details as { part: string }).part
    }
  }
  const changed = (from: string | RegExp, to = '') => partOf({ 'signature-input': input.replace(from, to) })
  for (const name of ['@method', '@authority', '@path', '@query']) {
    assert.equal(changed(`"${name}" `), name)
  }
  assert.equal(partOf({ 'idempotency-key': 'not covered' }), 'idempotency-key')
  assert.equal(changed(/;created=\d+/), 'created')
  assert.equal(changed(/;created=\d+/, ';created="1"'), 'created')
  assert.equal(changed(/;created=\d+/, ';created=-1'), 'created')
  assert.equal(changed(/;nonce="[^"]+"/), 'nonce')
  assert.equal(changed(/;nonce="[^"]+"/, ';nonce=""'), 'nonce')
  assert.equal(changed(/;nonce="[^"]+"/, `;nonce="${'x'.repeat(129)}"`), 'nonce')
  assert.equal(changed(/;keyid="[^"]+"/), 'keyid')
  assert.equal(changed(/;tag="[^"]+"/), 'tag')
  assert.equal(changed(/;tag="[^"]+"/, ';tag="other"'), 'tag')
  assert.equal(changed(/$/, ', two=();tag="newdt-auto"'), 'tag')
  assert.equal(changed(/$/, ';color="red"'), 'color')
  assert.equal(changed('"@method"', '"@method" "@method"'), 'signature-input')
  assert.equal(changed('"@method"', '"@method";req'), 'signature-input')
  assert.equal(changed('"@method"', '"@method" "@status"'), '@status')
  assert.equal(changed('"@method"', '"@method" "x-missing"'), 'x-missing')
  assert.equal(changed(/^.*$/, 'newdt=1;tag="newdt-auto"'), 'signature-input')
  assert.equal(changed(/$/, `, more=${'x'.repeat(4096)}`), 'signature-input')
  assert.equal(partOf({ 'signature-input': undefined }), 'tag')
  assert.equal(partOf({ 'signature-input': '(' }), 'signature-input')
  for (const signature of [undefined, '', 'newdt=1', 'other=:AAAA:', 'newdt=:!:'])
    assert.equal(partOf({ signature }), 'signature')
  for (const digest of [undefined, '', 'sha-512=:AAAA:', 'sha-256=:AAAA:', 'sha-256'])
    assert.equal(partOf({ 'content-digest': digest }), 'content-digest')
})

test('a signature of another length or algorithm than the key has is wrong', () => {
  const sent = signedRequest()
  for (const length of [0, 16, 31, 33, 63, 65, 2048]) {
    const signature = `newdt=:${Buffer.alloc(length).toString('base64')}:`
    assert.equal(codeOf({ ...sent, headers: { ...sent.headers, signature } }), 'signature-wrong')
  }
  for (const algorithm of ['ed25519', 'rsa-pss-sha512', 'none']) {
    const input = `${sent.headers['signature-input']};alg="${algorithm}"`
    assert.equal(
      codeOf({ ...sent, headers: { ...sent.headers, 'signature-input': input } }),
      'signature-wrong',
    )
  }
})

test('signatures of others, with other tags, do not matter', () => {
  const sent = signedRequest()
  const headers = {
    ...sent.headers,
    'signature-input': `proxy=("@status");tag="proxy", ${sent.headers['signature-input']}`,
    signature: `proxy=:AAAA:, ${sent.headers.signature}`,
  }
  assert.equal(codeOf({ ...sent, headers }), 'platform')
})
