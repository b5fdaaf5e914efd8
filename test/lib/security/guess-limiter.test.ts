import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentError } from '../../../lib/base/errors.ts'
import {
  type ClientCertificate,
  type Credentials,
  createAuthenticator,
} from '../../../lib/security/authenticator.ts'
import { createGuessLimiter, networkOf } from '../../../lib/security/guess-limiter.ts'
import { hashToken, parseKeys, withDefaultKey } from '../../../lib/security/keys.ts'
import { createSigner } from '../../../lib/security/md5-signature.ts'
import { createMessageSigner } from '../../../lib/security/message-signer.ts'
import { memoryNonces } from '../../support/nonces.ts'

const NOW = 1_800_000_000_000
const KEYS = parseKeys(
  JSON.stringify({
    keys: [{ id: 'alice', rights: ['read'], token: hashToken('right'), certificate: 'CN=alice' }],
  }),
)

const createLimited = ({ most = 3, perSecond = 0.001, waitMs = 1, now = (): number => NOW } = {}) => {
  const authenticator = createAuthenticator(withDefaultKey(KEYS, ['the secret']), {
    ttlMs: 3_600_000,
    clockSkewMs: 0,
    now: () => NOW,
    nonces: memoryNonces(() => NOW),
    isStrict: false,
  })
  return { ...createGuessLimiter(authenticator, { most, perSecond, waitMs, now }), use: authenticator.use }
}

type Limited = ReturnType<typeof createLimited>

const token = (text: string): Credentials => ({ kind: 'token', token: text })

const ask = async (
  limited: Limited,
  credentials: Credentials,
  address = '192.0.2.1',
  certificate?: ClientCertificate,
): Promise<string> => {
  try {
    const client = { address, isPrivate: true, isEncrypted: true, certificate }
    return (await limited.authenticate(credentials, client)).caller.id
  } catch (error) {
    assert.ok(error instanceof AgentError)
    return error.code
  }
}

const message = (key: string): Credentials => {
  const sent = { method: 'GET', authority: 'db1', path: '/', query: '?' }
  const headers = createMessageSigner({ keyId: 'default', key, now: () => NOW })({ ...sent, target: '/' })
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const header = (name: string) => lower.get(name)
  return { kind: 'message-signature', message: { ...sent, header } }
}

const guess = (limited: Limited, times: number, address?: string): Promise<string[]> =>
  Promise.all(Array.from({ length: times }, (_, n) => ask(limited, token(`wrong${n}`), address)))

const countOf = (codes: string[], code: string): number => codes.filter(one => one === code).length

test('after so many wrong credentials from an address nothing from there is looked at, right or wrong', async () => {
  const limited = createLimited()
  assert.deepEqual(await guess(limited, 3), Array(3).fill('token-wrong'))
  assert.equal(await ask(limited, token('wrong')), 'too-many-guesses')
  assert.equal(await ask(limited, token('right')), 'too-many-guesses')
  assert.deepEqual(limited.counts(), { wrong: 3, unseen: 2 })
  assert.equal(await ask(limited, token('right'), '192.0.2.2'), 'alice')
})

test('guesses that come all at once, on one connection or many, are limited as well', async () => {
  const limited = createLimited()
  const codes = await guess(limited, 600)
  assert.deepEqual([countOf(codes, 'token-wrong'), countOf(codes, 'too-many-guesses')], [3, 597])
})

test('who asks most often does not get all looks: one of a connection waits, and those that wait come first', async () => {
  let time = NOW
  const limited = createLimited({ perSecond: 1, waitMs: 20, now: () => time })
  await guess(limited, 3)
  const on = (connection: object, text: string) =>
    limited
      .authenticate(token(text), { address: '192.0.2.1', isPrivate: true, isEncrypted: true, connection })
      .then(({ caller }) => caller.id)
      .catch(({ code }: AgentError) => code)
  const [flooding, another, own] = [{}, {}, {}]
  const flood = Promise.all(Array.from({ length: 50 }, (_, n) => on(flooding, `wrong${n}`)))
  const right = on(own, 'right')
  time += 2000 // Two more may be looked at now.
  const later = Promise.all(Array.from({ length: 50 }, (_, n) => on(another, `other${n}`)))
  assert.equal(await right, 'alice')
  const codes = [...(await flood), ...(await later)]
  assert.deepEqual([countOf(codes, 'token-wrong'), countOf(codes, 'too-many-guesses')], [2, 98])
})

test('right credentials cost nothing, also when many come at once', async () => {
  const limited = createLimited()
  await guess(limited, 2)
  const codes = await Promise.all(Array.from({ length: 600 }, () => ask(limited, token('right'))))
  assert.equal(countOf(codes, 'alice'), 600)
})

test('beyond the limit a few a second are looked at, and whoever is right then is let in', async () => {
  let now = 0
  const limited = createLimited({ perSecond: 5, now: () => now })
  await guess(limited, 3)
  for (let second = 1; second <= 10; second++) {
    now += 1000
    assert.equal(await ask(limited, token('right')), 'alice')
    // No more than there were at first, however long nobody has guessed.
    assert.equal(countOf(await guess(limited, 600), 'token-wrong'), 3)
  }
  now += 200
  assert.equal(countOf(await guess(limited, 600), 'token-wrong'), 1)
})

test('what is over the limit waits, and is looked at if it may be by then', async () => {
  let now = 0
  const limited = createLimited({ waitMs: 20, perSecond: 1, now: () => now })
  await guess(limited, 3)
  const answer = ask(limited, token('right'))
  now += 1000
  assert.equal(await answer, 'alice')
  assert.deepEqual(limited.counts(), { wrong: 3, unseen: 0 })
})

test('what was right before and is right no more is counted, and puts nobody into debt', async () => {
  let now = 0
  const limited = createLimited({ perSecond: 1, now: () => now })
  assert.equal(await ask(limited, token('right')), 'alice')
  await guess(limited, 3)
  limited.use([])
  assert.equal(await ask(limited, token('right')), 'token-wrong')
  assert.deepEqual(
    await Promise.all(Array.from({ length: 9 }, () => ask(limited, token('right')))),
    Array(9).fill('too-many-guesses'),
  )
  limited.use(KEYS)
  now += 1000
  assert.equal(await ask(limited, token('right')), 'alice')
})

test('who has used the right credentials there before is let in meanwhile', async () => {
  const limited = createLimited()
  assert.equal(await ask(limited, token('right')), 'alice')
  await guess(limited, 3)
  assert.equal(await ask(limited, token('other')), 'too-many-guesses')
  assert.equal(await ask(limited, token('right')), 'alice')
  assert.equal(await ask(limited, token('right'), '192.0.2.2'), 'alice')
})

test('who has signed messages there before is let in meanwhile, and guesses at that key are limited too', async () => {
  const limited = createLimited()
  assert.equal(await ask(limited, message('the secret')), 'default')
  await guess(limited, 3)
  assert.equal(await ask(limited, message('the secret')), 'default')
  assert.equal(await ask(limited, message('the secret'), '192.0.2.2'), 'default')
  for (let n = 0; n < 3; n++) assert.equal(await ask(limited, message('guess')), 'signature-wrong')
  assert.equal(await ask(limited, message('guess')), 'too-many-guesses')
  assert.equal(await ask(limited, message('the secret')), 'too-many-guesses')
  assert.equal(await ask(limited, message('the secret'), '192.0.2.2'), 'default')
})

test('a key that has not signed there is not looked at meanwhile, nor is what claims to be of none', async () => {
  const limited = createLimited()
  await guess(limited, 3)
  assert.equal(await ask(limited, message('the secret')), 'too-many-guesses')
  const header = () => 'garbage'
  const nameless = { method: 'GET', authority: 'db1', path: '/', query: '?', header }
  assert.equal(await ask(limited, { kind: 'message-signature', message: nameless }), 'too-many-guesses')
})

test('of those that were right only the newest thousand are remembered', async () => {
  const limited = createLimited()
  const { sign } = createSigner('the secret')
  const signature = (age: number): Credentials => {
    const signAt = String(NOW / 1000 - age)
    return { kind: 'signature', signAt, sign: sign(signAt) }
  }
  assert.equal(await ask(limited, signature(2000)), 'default')
  for (let age = 1999; age >= 1000; age--) assert.equal(await ask(limited, signature(age)), 'default')
  await guess(limited, 3)
  assert.equal(await ask(limited, signature(2000)), 'too-many-guesses')
  assert.equal(await ask(limited, signature(1999)), 'default')
})

test('a certificate, which TLS has proved, is no guess and is let in meanwhile', async () => {
  const limited = createLimited()
  const ownCertificate = (subject: string) => ({ fault: undefined, subject, fingerprint: '' })
  for (let n = 0; n < 9; n++)
    assert.equal(
      await ask(limited, { kind: 'certificate' }, '192.0.2.1', ownCertificate('CN=eve')),
      'certificate-unknown',
    )
  assert.deepEqual(limited.counts(), { wrong: 0, unseen: 0 })
  await guess(limited, 3)
  assert.equal(await ask(limited, { kind: 'certificate' }, '192.0.2.1', ownCertificate('CN=alice')), 'alice')
})

test('what is refused for another reason is no guess', async () => {
  const limited = createLimited()
  const expired: Credentials = { kind: 'signature', sign: '0'.repeat(32), signAt: '1' }
  for (let n = 0; n < 10; n++) assert.equal(await ask(limited, expired), 'signature-expired')
  assert.equal(await ask(limited, token('right')), 'alice')
})

test('an IPv6 address stands for its whole network, an IPv4 address for itself', () => {
  for (const address of ['2001:db8::1', '2001:db8:0:0:1::', '2001:DB8:0:0:ffff:ffff:ffff:ffff'])
    assert.equal(networkOf(address), '2001:db8:0:0::/64')
  assert.equal(networkOf('2001:db8:0:1::1'), '2001:db8:0:1::/64')
  assert.equal(networkOf('::1'), '0:0:0:0::/64')
  assert.equal(networkOf('::'), '0:0:0:0::/64')
  assert.equal(networkOf('fe80::1%eth0').startsWith('fe80'), true)
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf(''), '')
})

test('what others pass on has a budget of its own, in which right ones pass while somebody guesses fast', async () => {
  const limited = createLimited()
  const passedOn = (credentials: Credentials) =>
    limited
      .authenticate(credentials, { address: 'nats', isPrivate: false, isEncrypted: false, isRelayed: true })
      .then(
        ({ caller }) => caller.id,
        (error: AgentError) => error.code,
      )
  for (let n = 0; n < 900; n++) assert.equal(await passedOn(message('wrong')), 'signature-wrong')
  assert.equal(await passedOn(message('the secret')), 'default')
  // Nobody else is slowed down by them, nor they by others.
  assert.equal(await ask(limited, token('right')), 'alice')
  await guess(limited, 3)
  assert.equal(await passedOn(message('the secret')), 'default')
})

test('beyond it each waits in a place of its own, and not in those of others', async () => {
  const limited = createLimited({ waitMs: 300 })
  const passedOn = () =>
    limited
      .authenticate(message('wrong'), {
        address: 'nats',
        isPrivate: false,
        isEncrypted: false,
        isRelayed: true,
      })
      .then(
        () => assert.fail(),
        (error: AgentError) => error.code,
      )
  await Promise.all(Array.from({ length: 1000 }, passedOn))
  let answered = 0
  const count = () => void answered++
  const all = Array.from({ length: 1600 }, () => passedOn().then(count))
  await new Promise(setImmediate)
  // Those beyond the 500 that wait are refused at once.
  assert.equal(answered, 1100)
  await guess(limited, 3)
  const other = ask(limited, token('right'))
  await Promise.all(all)
  assert.equal(await other, 'too-many-guesses')
})
