import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  authenticatorAt,
  CLOCK_SKEW_MS,
  createFake,
  NOW,
  SECRET,
  SIGN,
  SIGN_AT,
  TTL_MS,
  unsigned,
} from '../fake-services.ts'

/** Made once: fast-check takes its time to prepare all of Unicode. */
const ANY_TEXT = fc.string({ unit: 'binary' })

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const contractSign = (secret: string, signAt: string) => md5(signAt + md5(`${secret}newdt`))

const statusOf = async (parameters: Record<string, string>, now = NOW, secret = SECRET): Promise<number> => {
  const fake = createFake({ authenticator: authenticatorAt(now, secret) })
  const { status } = await fake.ask(unsigned(`/api/jobs?${new URLSearchParams(parameters)}`))
  assert.equal(fake.calls.length, status === 200 ? 1 : 0)
  assert.deepEqual(fake.reported, [])
  return status
}

test('a signature is accepted exactly within its window, to the millisecond', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: -2 * CLOCK_SKEW_MS, max: 2 * TTL_MS }), async age => {
      const inside = age <= TTL_MS && age >= -CLOCK_SKEW_MS
      assert.equal(await statusOf({ sign: SIGN, signAt: SIGN_AT }, NOW + age), inside ? 200 : 401)
    }),
    { examples: [[TTL_MS], [TTL_MS + 1], [-CLOCK_SKEW_MS], [-CLOCK_SKEW_MS - 1]] },
  ))

test("the contract's signature is accepted for any secret and any second", () =>
  fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1 }), fc.nat(4e9), async (secret, second) => {
      const signAt = String(second)
      const parameters = { sign: contractSign(secret, signAt), signAt }
      assert.equal(await statusOf(parameters, second * 1000, secret), 200)
    }),
  ))

test('one wrong digit anywhere in the sign is 401', () =>
  fc.assert(
    fc.asyncProperty(fc.nat(31), fc.integer({ min: 1, max: 15 }), async (index, change) => {
      const digit = (Number.parseInt(SIGN[index]!, 16) ^ change).toString(16)
      const sign = SIGN.slice(0, index) + digit + SIGN.slice(index + 1)
      assert.equal(await statusOf({ sign, signAt: SIGN_AT }), 401)
    }),
  ))

test('the sign of another second or of another secret is 401', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.string(), async (seconds, secret) => {
      const signAt = String(Number(SIGN_AT) + seconds)
      assert.equal(await statusOf({ sign: SIGN, signAt }), 401)
      if (secret !== SECRET) {
        assert.equal(await statusOf({ sign: contractSign(secret, SIGN_AT), signAt: SIGN_AT }), 401)
      }
    }),
  ))

test('no text whatever gets in or breaks the check', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(ANY_TEXT, fc.stringMatching(/^[0-9a-f]{30,34}$/)),
      fc.oneof(ANY_TEXT, fc.constant(SIGN_AT)),
      async (sign, signAt) => {
        assert.equal(await statusOf({ sign, signAt }), 401)
      },
    ),
  ))

test('any text but plain digits is refused as signAt, however well it is signed', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        ANY_TEXT,
        fc
          .tuple(fc.string({ unit: 'binary', maxLength: 2 }), fc.string({ maxLength: 2 }))
          .map(([before, after]) => before + SIGN_AT + after),
      ),
      async text => {
        const signAt = text.toWellFormed()
        fc.pre(!/^[0-9]+$/.test(signAt))
        assert.equal(await statusOf({ sign: contractSign(SECRET, signAt), signAt }), 401)
      },
    ),
  ))
