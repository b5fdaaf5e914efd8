import { hash, timingSafeEqual } from 'node:crypto'

export interface SignatureOptions {
  secret: string
  /** How long a signature is valid, in milliseconds. */
  ttlMs: number
  /** How far in the future `signAt` may lie, in milliseconds: clocks of two hosts never agree. */
  clockSkewMs: number
  /** Wall time in milliseconds. */
  now(): number
}

/** The contract's signature: md5(signAt + md5(secret + "newdt")), in hex. `signAt` is in seconds. */
export const createSignature = ({ secret, ttlMs, clockSkewMs, now }: SignatureOptions) => {
  const key = md5(`${secret}newdt`)
  const sign = (signAt: string): string => md5(signAt + key)
  // A client uses a signature for more than one request, while it is valid.
  let latest = { signAt: '', expected: Buffer.alloc(0) }
  return {
    sign,

    /** Both exactly as they came; anything but plain digits and 32 hex digits is refused. */
    verify(signature: string, signAt: string): boolean {
      if (!/^\d{1,12}$/.test(signAt) || !/^[0-9a-f]{32}$/.test(signature)) return false
      const age = now() - Number(signAt) * 1000
      if (!(age <= ttlMs && age >= -clockSkewMs)) return false
      if (signAt !== latest.signAt) latest = { signAt, expected: Buffer.from(sign(signAt)) }
      return timingSafeEqual(Buffer.from(signature), latest.expected)
    },
  }
}

const md5 = (text: string): string => hash('md5', text)
