import { failure } from '../base/errors.ts'
import type { Caller } from './caller.ts'
import { hashToken, type Key } from './keys.ts'
import { checkForm, createSigner, type SignatureWindow, type Signer } from './md5-signature.ts'

/** What a request says to prove who asks, exactly as it came. */
export type Credentials =
  | { kind: 'signature'; sign: string; signAt: string }
  /** A bearer token. */
  | { kind: 'token'; token: string }

export interface Client {
  /** Its IP address; "" when it has none. */
  address: string
  /** Nobody else on the network can read what it sends: TLS, or the same host. */
  isPrivate: boolean
}

export interface Authenticator {
  /**
   * Throws AgentError signature-malformed, signature-expired, signature-ahead, signature-wrong, token-wrong,
   * token-insecure, key-expired, address-not-allowed.
   */
  authenticate(credentials: Credentials, client: Client): Caller
}

/** Knows callers by their keys. `use` replaces all keys at once. */
export const createAuthenticator = (keys: readonly Key[], window: SignatureWindow) => {
  let ring = createRing(keys)

  const keyOf = (credentials: Credentials, { isPrivate }: Client): Key => {
    if (credentials.kind === 'signature') {
      const { sign, signAt } = credentials
      checkForm(credentials, window)
      const found = ring.signers.find(({ signer }) => signer.matches(sign, signAt))
      if (!found) throw failure('signature-wrong')
      return found.key
    }
    // Whoever reads it on its way has it for good: that is said before it is known whether it is right.
    if (!isPrivate) throw failure('token-insecure')
    const key = ring.byToken.get(hashToken(credentials.token))
    if (!key) throw failure('token-wrong')
    return key
  }

  return {
    authenticate(credentials: Credentials, client: Client): Caller {
      const { id, rights, bounds, expiresAt, from } = keyOf(credentials, client)
      const { address } = client
      if (expiresAt !== undefined && window.now() >= expiresAt) throw failure('key-expired')
      if (from && !from.check(plainAddress(address), familyOf(address))) throw failure('address-not-allowed')
      return { id, rights, bounds, address }
    },

    use(newKeys: readonly Key[]): void {
      ring = createRing(newKeys)
    },
  }
}

const createRing = (keys: readonly Key[]) => {
  const signers: { key: Key; signer: Signer }[] = []
  // By its hash, so how long a look takes tells nothing of a token.
  const byToken = new Map<string, Key>()
  for (const key of keys) {
    for (const secret of key.secrets) signers.push({ key, signer: createSigner(secret) })
    for (const hash of key.tokens) byToken.set(hash, key)
  }
  return { signers, byToken }
}

/** An IPv4 client of a socket that listens on IPv6 has an address such as ::ffff:192.0.2.7. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

const familyOf = (address: string): 'ipv4' | 'ipv6' => (plainAddress(address).includes(':') ? 'ipv6' : 'ipv4')
