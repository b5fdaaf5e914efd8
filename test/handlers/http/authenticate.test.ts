import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { createAuthenticator } from '../../../lib/security/authenticator.ts'
import { hashToken, parseKeys, withDefaultKey } from '../../../lib/security/keys.ts'
import { memoryNonces } from '../../support/nonces.ts'
import {
  AUTHORITY,
  authenticatorAt,
  CLOCK_SKEW_MS,
  COMMAND_PATH,
  countedBody,
  createFake,
  ID,
  NOW,
  post,
  postStream,
  SECRET,
  SIGN,
  SIGN_AT,
  signed,
  TTL_MS,
  unsigned,
} from '../fake-services.ts'

const OTHER_SIGN = SIGN.replace('1', '2')
const SIGNED_QUERY = `sign=${SIGN}&signAt=${SIGN_AT}`

/** Nobody is let in, and the answer says why. */
const assertUnauthorized = async (
  request: Request,
  fake = createFake(),
  words = /^signature-(missing|malformed|expired|ahead|wrong)$/,
) => {
  const { status, body, headers } = await fake.ask(request)
  assert.equal(status, 401)
  assert.match((body as { error: string }).error, words)
  assert.equal(headers.get('www-authenticate'), 'Bearer realm="newdt-auto"')
  assert.deepEqual([fake.calls, fake.reported], [[], []])
  assert.deepEqual(fake.notes.at(-1), { error: (body as { error: string }).error })
}

const assertLetIn = async (request: Request, fake = createFake()) => {
  const { status, text } = await fake.ask(request)
  assert.equal(status, 200, text)
}

const jobs = (query: string, headers: [string, string][] = []) =>
  unsigned(`/api/jobs${query === '' ? '' : `?${query}`}`, { headers })

/** The contract's script, written anew; takes any text for `signAt`. */
const contractSign = (signAt: string): string => md5(signAt + md5(`${SECRET}newdt`))
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

test("the contract's signature opens the door from the query and from the headers", async () => {
  await assertLetIn(jobs(SIGNED_QUERY))
  for (const [sign, signAt] of [
    ['sign', 'signAt'],
    ['SIGN', 'SIGNAT'],
    ['Sign', 'signat'],
  ] as const) {
    await assertLetIn(
      jobs('', [
        [sign, SIGN],
        [signAt, SIGN_AT],
      ]),
    )
  }
})

test('every endpoint but /healthz is 401 without a signature', async () => {
  const job = `/api/jobs/${ID}`
  for (const path of ['/api/jobs', '/api/jobs/countOfRunningJobs', job, `${job}/processes`]) {
    await assertUnauthorized(unsigned(path))
  }
  for (const name of ['stdout', 'stderr', 'output', 'events']) {
    for (const query of ['', '?follow=true', '?after=x']) {
      await assertUnauthorized(unsigned(`${job}/${name}${query}`))
      await assertUnauthorized(unsigned(`${job}/${name}${query}`, { headers: { Range: 'bytes=0-1' } }))
    }
  }
  const headers = { 'Content-Type': 'application/json' }
  for (const path of [COMMAND_PATH, '/api/jobs/execute/script', `${job}/cancel`, `${job}/signal`]) {
    await assertUnauthorized(unsigned(path, { method: 'POST', headers, body: '{"cmd":"true"}' }))
  }
})

test('one half of the signature may be in the query and the other in a header', async () => {
  await assertLetIn(jobs(`sign=${SIGN}`, [['signAt', SIGN_AT]]))
  await assertLetIn(jobs(`signAt=${SIGN_AT}`, [['sign', SIGN]]))
})

test('one half alone is not enough', async () => {
  for (const query of [
    `sign=${SIGN}`,
    `signAt=${SIGN_AT}`,
    `sign=${SIGN}&signAt=`,
    `sign=&signAt=${SIGN_AT}`,
  ]) {
    await assertUnauthorized(jobs(query))
  }
  await assertUnauthorized(jobs('', [['sign', SIGN]]))
  await assertUnauthorized(jobs('', [['signAt', SIGN_AT]]))
})

test('names in the query are case-sensitive', async () => {
  await assertUnauthorized(jobs(`sign=${SIGN}&signat=${SIGN_AT}`))
  await assertUnauthorized(jobs(`SIGN=${SIGN}&signAt=${SIGN_AT}`))
})

test('the same signature in query and headers is fine', async () => {
  await assertLetIn(signed(`/api/jobs?${SIGNED_QUERY}`))
})

test('a query and a header that differ are 401, whichever of them is right', async () => {
  const later = String(Number(SIGN_AT) + 1)
  await assertUnauthorized(signed(`/api/jobs?sign=${OTHER_SIGN}`))
  await assertUnauthorized(signed(`/api/jobs?signAt=${later}`))
  await assertUnauthorized(signed('/api/jobs?sign='))
  await assertUnauthorized(signed('/api/jobs?signAt='))
  await assertUnauthorized(jobs(SIGNED_QUERY, [['sign', OTHER_SIGN]]))
  await assertUnauthorized(jobs(SIGNED_QUERY, [['signAt', later]]))
  await assertUnauthorized(jobs(SIGNED_QUERY, [['sign', '']]))
  await assertUnauthorized(jobs(`sign=${contractSign(later)}&signAt=${later}`, [['signAt', SIGN_AT]]))
})

test('a value that is repeated is 401, even if it is the same', async () => {
  await assertUnauthorized(jobs(`${SIGNED_QUERY}&sign=${SIGN}`))
  await assertUnauthorized(jobs(`${SIGNED_QUERY}&signAt=${SIGN_AT}`))
  await assertUnauthorized(jobs(`${SIGNED_QUERY}&sign=${OTHER_SIGN}`))
  await assertUnauthorized(jobs(`sign=${OTHER_SIGN}&${SIGNED_QUERY}`))
  await assertUnauthorized(signed(`/api/jobs?sign=${SIGN}&sign=${SIGN}`))
  for (const [name, value] of [
    ['sign', SIGN],
    ['signAt', SIGN_AT],
  ] as const) {
    const request = signed('/api/jobs')
    request.headers.append(name, value)
    await assertUnauthorized(request)
  }
})

test('a signature is valid for 30 minutes to the millisecond, and 5 minutes ahead of the clock', async () => {
  const at = (offset: number) => createFake({ authenticator: authenticatorAt(NOW + offset) })
  for (const offset of [0, TTL_MS, -CLOCK_SKEW_MS]) await assertLetIn(jobs(SIGNED_QUERY), at(offset))
  for (const offset of [TTL_MS + 1, -CLOCK_SKEW_MS - 1, 1e12, -NOW]) {
    await assertUnauthorized(jobs(SIGNED_QUERY), at(offset))
  }
})

test('signAt must be plain digits, however well it is signed', async () => {
  const texts = ['abc', 'NaN', 'Infinity', `${SIGN_AT}.0`, `+${SIGN_AT}`, `-${SIGN_AT}`, ` ${SIGN_AT}`]
  texts.push(`${SIGN_AT}\n`, `${SIGN_AT} `, `${SIGN_AT}e0`, '1.671170774e9', '0x639bfd16', `${SIGN_AT}n`)
  texts.push(
    `${SIGN_AT}\0`,
    '１６７１１７０７７４',
    `${SIGN_AT},${SIGN_AT}`,
    `000${SIGN_AT}`,
    `${SIGN_AT}000`,
  )
  for (const signAt of texts) {
    const query = new URLSearchParams({ sign: contractSign(signAt), signAt })
    await assertUnauthorized(jobs(String(query)))
  }
})

test('a sign of another length or another alphabet is 401', async () => {
  const signs = ['', 'a', SIGN.slice(1), `${SIGN}0`, `${SIGN}\n`, ` ${SIGN}`, SIGN.replace('1', 'g')]
  signs.push(SIGN.replace('1', 'é'), '\0'.repeat(32), '汉'.repeat(32), SIGN.repeat(1000), OTHER_SIGN)
  for (const sign of signs)
    await assertUnauthorized(jobs(String(new URLSearchParams({ sign, signAt: SIGN_AT }))))
})

test('the body of a request is not read before its signature was checked', async () => {
  const chunk = Buffer.from('{"cmd":"true"}')
  const unread = countedBody([chunk])
  const request = postStream(unread.stream)
  request.headers.set('sign', OTHER_SIGN)
  await assertUnauthorized(request)
  assert.equal(unread.pulls, 0)
  assert.equal(request.bodyUsed, false)

  const read = countedBody([chunk])
  await assertLetIn(postStream(read.stream))
  assert.equal(read.pulls, 2)
})

test('a wrong signature hides whatever else is wrong', async () => {
  const request = post(COMMAND_PATH, 'no json', { 'Content-Type': 'text/plain', 'Content-Length': '99999' })
  request.headers.delete('sign')
  await assertUnauthorized(request)
})

test('what is wrong with a signature is told: that it is missing, malformed, expired, ahead, or wrong', async () => {
  const told = (request: Request, word: string, fake = createFake()) =>
    assertUnauthorized(request, fake, new RegExp(`^signature-${word}$`))
  await told(jobs(''), 'missing')
  await told(jobs(`sign=${SIGN}`), 'malformed')
  await told(jobs(`sign=${SIGN}&signAt=now`), 'malformed')
  const at = (now: number) => createFake({ authenticator: authenticatorAt(now) })
  await told(jobs(SIGNED_QUERY), 'expired', at(NOW + TTL_MS + 1))
  await told(jobs(SIGNED_QUERY), 'ahead', at(NOW - CLOCK_SKEW_MS - 1))
  await told(jobs(`sign=${OTHER_SIGN}&signAt=${SIGN_AT}`), 'wrong')
})

test('a request with an Authorization header is judged by that alone, and notes who asks', async () => {
  const authenticator = createAuthenticator(
    parseKeys(JSON.stringify({ keys: [{ id: 'alice', rights: ['read'], token: hashToken('right') }] })),
    {
      ttlMs: TTL_MS,
      clockSkewMs: CLOCK_SKEW_MS,
      now: () => NOW,
      nonces: memoryNonces(() => NOW),
      isStrict: false,
    },
  )
  const asked = async (authorization: string, isPrivate = true) => {
    const fake = createFake({ authenticator, isPrivate })
    const request = signed('/api/jobs', { headers: { Authorization: authorization } })
    const { status, body } = await fake.ask(request)
    return [status, (body as { error?: string }).error, fake.notes]
  }
  for (const right of ['Bearer right', 'bearer right', 'BEARER  right ']) {
    assert.deepEqual(await asked(right), [200, undefined, [{ caller: 'alice' }]])
  }
  assert.deepEqual(await asked('Bearer right', false), [401, 'token-insecure', [{ error: 'token-insecure' }]])
  for (const wrong of ['Bearer wrong', 'Bearer right=', 'Bearer Right']) {
    assert.deepEqual(await asked(wrong), [401, 'token-wrong', [{ error: 'token-wrong' }]])
  }
  for (const malformed of [
    '',
    'Bearer',
    'Bearer ',
    'right',
    'Basic right',
    'Bearer ri ght',
    'Bearer right, Bearer right',
    'Bearer "right"',
  ]) {
    assert.deepEqual(
      await asked(malformed),
      [401, 'token-malformed', [{ error: 'token-malformed' }]],
      malformed,
    )
  }
})

test('a malformed strong credential is refused, whatever weaker ones are there too', async () => {
  const strong: Record<string, string>[] = [
    { Signature: 'a=:AAAA:' },
    { 'Signature-Input': 'a=()' },
    { Signature: '', 'Signature-Input': '' },
    { Signature: 'keyId="a",signature="b"' },
  ]
  for (const headers of strong) {
    const fake = createFake({ isPrivate: true })
    const { status, body } = await fake.ask(signed('/api/jobs', { headers }))
    assert.deepEqual([status, (body as { error: string }).error], [401, 'message-signature-malformed'])
    assert.deepEqual(fake.calls, [])
  }
})

const CERTIFICATE = { fault: undefined, subject: 'CN=alice', fingerprint: '0'.repeat(64) }

/** What a client is answered that shows a certificate; nothing for success. */
const answeredByCertificate = async (headers: Record<string, string>, request = jobs('')) => {
  const key = { id: 'alice', rights: ['read'], certificate: CERTIFICATE.subject }
  const authenticator = createAuthenticator(
    [...parseKeys(JSON.stringify({ keys: [key] })), ...withDefaultKey([], [SECRET])],
    {
      ttlMs: TTL_MS,
      clockSkewMs: CLOCK_SKEW_MS,
      now: () => NOW,
      nonces: memoryNonces(() => NOW),
      isStrict: false,
    },
  )
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value)
  const fake = createFake({ authenticator, certificate: CERTIFICATE })
  const { status, body } = await fake.ask(request)
  if (status === 200) return undefined
  assert.deepEqual([status, fake.calls], [401, []])
  return (body as { error: string }).error
}

test('a certificate proves who asks, in programs and in pages of the agent itself', async () => {
  const own = `https://${AUTHORITY}`
  for (const headers of [
    {},
    { 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'none' },
    { 'Sec-Fetch-Site': 'same-origin', Origin: own },
    { Origin: own },
  ] as Record<string, string>[])
    assert.equal(await answeredByCertificate(headers), undefined, JSON.stringify(headers))
})

test('a certificate proves nothing in a request that a page of another site has a browser send', async () => {
  const own = `https://${AUTHORITY}`
  for (const headers of [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'same-site', Origin: own },
    { 'Sec-Fetch-Site': 'none, cross-site' },
    { 'Sec-Fetch-Site': '' },
    { Origin: 'https://elsewhere.example' },
    { Origin: `https://other.${AUTHORITY}` },
    { Origin: `https://${AUTHORITY.replace(':8080', '')}` },
    { Origin: `http://${AUTHORITY}` },
    { Origin: 'null' },
    { Origin: '' },
  ] as Record<string, string>[])
    assert.equal(await answeredByCertificate(headers), 'signature-missing', JSON.stringify(headers))
})

test('other credentials are good wherever the page comes from: no browser has them by itself', async () => {
  const elsewhere = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.example' }
  assert.equal(await answeredByCertificate(elsewhere, jobs(SIGNED_QUERY)), undefined)
})
