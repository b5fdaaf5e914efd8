import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../lib/base/errors.ts'
import { checkForm, createSigner, type SignatureWindow } from '../../../lib/security/md5-signature.ts'

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
/** The contract's script, written again. */
const modelSign = (secret: string, signAt: string): string => md5(`${signAt}${md5(`${secret}newdt`)}`)

/** One secret whose signatures are good within a window. */
const signerWithin = (secret: string, window: SignatureWindow) => {
  const { sign, matches } = createSigner(secret)
  return {
    sign,
    verify(signature: string, signAt: string): boolean {
      try {
        checkForm({ sign: signature, signAt }, window)
        return matches(signature, signAt)
      } catch (error) {
        assert.ok(error instanceof AgentError, String(error))
        return false
      }
    },
  }
}

const TTL_MS = 30 * 60_000
const SKEW_MS = 5 * 60_000
const SIGN_AT = 1_671_170_774

const at = (nowMs: number, secret = 'shindata') =>
  signerWithin(secret, { ttlMs: TTL_MS, clockSkewMs: SKEW_MS, now: () => nowMs })

const anySecret = fc.string({ minLength: 1, unit: 'grapheme' })
const anySeconds = fc.integer({ min: 10_000, max: 99_999_999_999 })

test("the contract's own example is signed and accepted", () => {
  const signature = at(SIGN_AT * 1000)
  assert.equal(signature.sign(String(SIGN_AT)), '1375db7c38acd9300ea67b5351956c3b')
  assert.equal(signature.verify('1375db7c38acd9300ea67b5351956c3b', String(SIGN_AT)), true)
})

test("any secret's signature is accepted at every moment of its window", () => {
  fc.assert(
    fc.property(anySecret, anySeconds, fc.integer({ min: -SKEW_MS, max: TTL_MS }), (secret, signAt, age) => {
      const signature = at(signAt * 1000 + age, secret)
      assert.equal(signature.sign(String(signAt)), modelSign(secret, String(signAt)))
      assert.equal(signature.verify(modelSign(secret, String(signAt)), String(signAt)), true)
    }),
  )
})

test('outside of the window, old or from the future, a right signature is refused', () => {
  const past = fc.integer({ min: TTL_MS + 1, max: 1e15 })
  const future = fc.integer({ min: -9_000_000, max: -SKEW_MS - 1 })
  fc.assert(
    fc.property(anySecret, anySeconds, fc.oneof(past, future), (secret, signAt, age) => {
      const signature = at(signAt * 1000 + age, secret)
      assert.equal(signature.verify(modelSign(secret, String(signAt)), String(signAt)), false)
    }),
  )
})

test('both edges of the window belong to it, a millisecond more does not', () => {
  const ages: [number, boolean][] = [
    [TTL_MS, true],
    [TTL_MS + 1, false],
    [-SKEW_MS, true],
    [-SKEW_MS - 1, false],
  ]
  for (const [age, accepted] of ages) {
    const verdict = at(SIGN_AT * 1000 + age).verify(modelSign('shindata', String(SIGN_AT)), String(SIGN_AT))
    assert.equal(verdict, accepted, `age ${age}`)
  }
})

test('a signature of which any one character was changed is refused', () => {
  const signAt = String(SIGN_AT)
  const right = modelSign('shindata', signAt)
  const replaced = fc
    .tuple(fc.nat(31), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }))
    .map(([index, character]) => right.slice(0, index) + character + right.slice(index + 1))
    .filter(text => text !== right)
  fc.assert(
    fc.property(fc.oneof(replaced, fc.string()), wrong => {
      assert.equal(at(SIGN_AT * 1000).verify(wrong, signAt), false)
    }),
  )
})

test('a signature is only good for the time that it was made for', () => {
  fc.assert(
    fc.property(fc.integer({ min: -300, max: 1800 }), otherAge => {
      fc.pre(otherAge !== 0)
      const right = modelSign('shindata', String(SIGN_AT))
      assert.equal(at(SIGN_AT * 1000).verify(right, String(SIGN_AT - otherAge)), false)
    }),
  )
})

test('the signature of another secret is refused', () => {
  fc.assert(
    fc.property(anySecret, anySecret, (ours, theirs) => {
      fc.pre(ours !== theirs)
      const forged = modelSign(theirs, String(SIGN_AT))
      assert.equal(at(SIGN_AT * 1000, ours).verify(forged, String(SIGN_AT)), false)
    }),
  )
})

test('a time that is not plain digits is refused, even with a signature that was made for it', () => {
  const wrong = [
    '',
    'abc',
    'NaN',
    `${SIGN_AT}.0`,
    ` ${SIGN_AT}`,
    `${SIGN_AT}\n`,
    `+${SIGN_AT}`,
    `-${SIGN_AT}`,
  ]
  for (const signAt of [...wrong, '0x639c0d16', '1.671170774e9', '１６７１１７０７７４', '0001671170774']) {
    const signature = at(SIGN_AT * 1000)
    assert.equal(signature.verify(modelSign('shindata', signAt), signAt), false, JSON.stringify(signAt))
  }
})

test('a signature of the wrong length or in capitals is refused and throws nothing', () => {
  const right = modelSign('shindata', String(SIGN_AT))
  for (const wrong of [
    '',
    'a',
    right.slice(1),
    `${right}0`,
    `${right}\n`,
    right.toUpperCase(),
    'é'.repeat(32),
  ]) {
    assert.equal(at(SIGN_AT * 1000).verify(wrong, String(SIGN_AT)), false, JSON.stringify(wrong))
  }
})
