import { hash, timingSafeEqual } from 'node:crypto'
import { failure } from '../base/errors.ts'

/** What one secret signs, as the contract has it: md5(signAt + md5(secret + "newdt")), in hex. `signAt` is in seconds. */
export const createSigner = (secret: string) => {
  const key = md5(`${secret}newdt`)
  const sign = (signAt: string): string => md5(signAt + key)
  // A client uses a signature for more than one request, while it is valid.
  let latest = { signAt: '', expected: Buffer.alloc(0) }
  return {
    sign,

    /** In constant time; `signature` must have 32 characters of ASCII. */
    matches(signature: string, signAt: string): boolean {
      if (signAt !== latest.signAt) latest = { signAt, expected: Buffer.from(sign(signAt)) }
      return timingSafeEqual(Buffer.from(signature), latest.expected)
    },
  }
}

export type Signer = ReturnType<typeof createSigner>

export interface SignatureWindow {
  /** How long a signature is valid, in milliseconds. */
  ttlMs: number
  /** How far in the future `signAt` may lie, in milliseconds: clocks of two hosts never agree. */
  clockSkewMs: number
  /** Wall time in milliseconds. */
  now(): number
}

/**
 * Whether a signature has the contract's form and comes at its time. Both exactly as they came; anything but plain
 * digits and 32 hex digits is refused. Throws AgentError signature-malformed, signature-expired, signature-ahead.
 */
export const checkForm = (
  { sign, signAt }: { sign: string; signAt: string },
  { ttlMs, clockSkewMs, now }: SignatureWindow,
): void => {
  if (!/^\d{1,12}$/.test(signAt) || !/^[0-9a-f]{32}$/.test(sign)) throw failure('signature-malformed')
  const age = now() - Number(signAt) * 1000
  if (age > ttlMs) throw failure('signature-expired', { seconds: Math.ceil((age - ttlMs) / 1000) })
  if (age < -clockSkewMs) throw failure('signature-ahead', { seconds: Math.ceil(-age / 1000) })
}

const md5 = (text: string): string => hash('md5', text)
