import { createHmac, generateKeyPairSync, randomBytes, timingSafeEqual, verify } from 'node:crypto'
import { failure } from '../base/errors.ts'
import type { Caller } from './caller.ts'
import { hashToken, type Key } from './keys.ts'
import { checkForm, createSigner, type SignatureWindow, type Signer } from './md5-signature.ts'
import { type MessageSignature, parseMessageSignature, type SignableMessage } from './message-signature.ts'
import type { Nonces } from './nonces.ts'
import { checkAge, checkQueued, WINDOW_MS } from './signature-age.ts'

/** What a request says to prove who asks, exactly as it came. */
export type Credentials =
  | { kind: 'signature'; sign: string; signAt: string }
  /** A bearer token. */
  | { kind: 'token'; token: string }
  /** A signature that covers the message, RFC 9421. */
  | { kind: 'message-signature'; message: SignableMessage }
  /** Nothing but the certificate of its connection. */
  | { kind: 'certificate' }

export interface Client {
  /** Its IP address; another word when it has none. */
  address: string
  /** Nobody else on the network can read what it sends: TLS, or the same host. */
  isPrivate: boolean
  /** By TLS. */
  isEncrypted: boolean
  /** That it has shown, by TLS. */
  certificate?: ClientCertificate | undefined
  /** Whether the certificate was judged by authorities that have been renewed since. */
  isOutdated?(): boolean
  /** The request has waited in a fleet's queue under this id; `try` is which run of it this would be. */
  queued?: { id: string; try: number } | undefined
  /** The same for all requests of one connection; undefined where that is not known. */
  connection?: object | undefined
  /**
   * Others have read what it sends on its way, and could send it again. `authority` is none that the client could
   * choose then.
   */
  isRelayed?: boolean | undefined
}

export interface ClientCertificate {
  /** Why it is not to be trusted; undefined for a good one. */
  fault: string | undefined
  /** As RFC 2253 writes it, `CN=alice,O=Example`. */
  subject: string
  /** The same, with each byte of other characters than ASCII's as `\\E5`: so openssl's `-nameopt RFC2253` prints it. */
  asciiSubject?: string | undefined
  /** SHA-256, 64 hex digits. */
  fingerprint: string
}

/** Who asks, and what their signature says of the body. */
export interface Authentication {
  caller: Caller
  /**
   * The same by the keys as they are now; undefined when they do not know these credentials any more, or the key has
   * expired. That a signature has become old does not matter: it was new when it came.
   */
  callerNow(): Caller | undefined
  /** Undefined where a signature covers no body anyway; `sha256` is undefined where there must be no body. */
  signedBody?: { sha256: Buffer | undefined } | undefined
  /** Undefined where there is no nonce; false when an agent that is killed would forget it. */
  isNonceStored?: boolean | undefined
  /**
   * For a request that has waited in a queue, which may come again: throws AgentError nonce-used when a job of it has
   * ended here. To be called before a job is made of it.
   */
  assertUnused?(): void
}

export interface Authenticator {
  /**
   * Throws AgentError signature-malformed, signature-expired, signature-ahead, signature-wrong,
   * message-signature-malformed, authority-wrong, nonce-used, nonce-not-remembered, clock-set-back, token-wrong,
   * token-insecure, certificate-wrong, certificate-unknown, credential-too-weak, key-expired, address-not-allowed.
   */
  authenticate(credentials: Credentials, client: Client): Authentication
}

export interface AuthenticatorOptions extends SignatureWindow {
  nonces: Nonces
  /** What @authority a signature must be for, in lower case; any when absent. */
  authorities?: readonly string[] | undefined
  /** Takes no credentials that others could use again: the contract's signature, and tokens without TLS. */
  isStrict: boolean
}

/** Knows callers by their keys. `use` replaces all keys at once. */
export const createAuthenticator = (keys: readonly Key[], options: AuthenticatorOptions) => {
  const { now, nonces, authorities, isStrict } = options
  let ring = createRing(keys)
  const nobody = createNobody()

  const authenticateSignature = (
    credentials: { sign: string; signAt: string },
    { isRelayed }: Client,
  ): KeyLookup => {
    if (isStrict || isRelayed) throw failure('credential-too-weak')
    const { sign, signAt } = credentials
    checkForm(credentials, options)
    return () => {
      const found = ring.signers.find(({ signer }) => signer.matches(sign, signAt))
      if (!found) throw failure('signature-wrong')
      return found.key
    }
  }

  const authenticateToken = (token: string, { isPrivate, isEncrypted }: Client): KeyLookup => {
    // Whoever reads it on its way has it for good: that is said before it is known whether it is right.
    if (!isPrivate) throw failure('token-insecure')
    if (isStrict && !isEncrypted) throw failure('credential-too-weak')
    const hash = hashToken(token)
    return () => {
      const key = ring.byToken.get(hash)
      if (!key) throw failure('token-wrong')
      return key
    }
  }

  const authenticateCertificate = ({ certificate, isOutdated }: Client): KeyLookup => {
    const { subject = '', asciiSubject = '', fingerprint = '' } = certificate ?? {}
    const names = [`sha256:${fingerprint}`, subject, asciiSubject]
    return () => {
      if (isOutdated?.())
        throw failure('certificate-wrong', { fault: 'it was judged by authorities from before' })
      const key = names.map(name => ring.byCertificate.get(name)).find(found => found !== undefined)
      if (!key) throw failure('certificate-unknown', { subject })
      return key
    }
  }

  const authenticateMessage = (
    message: SignableMessage,
    signature: MessageSignature,
    { queued, isRelayed }: Client,
  ): KeyLookup => {
    if (queued) checkQueued(message, signature, queued.id, now())
    else checkAge(signature, now())
    const { authority } = message
    const isMeant = isRelayed || (!OF_FLEET.test(authority) && (authorities?.includes(authority) ?? true))
    if (!isMeant) throw failure('authority-wrong', { authority })
    return () => {
      const key = ring.byId.get(signature.keyId)
      if (!isSignedBy(withBoth(key ?? nobody), signature) || !key) throw failure('signature-wrong')
      return key
    }
  }

  const withBoth = ({ secrets, ed25519 }: Signing): Signing => ({
    secrets: secrets.length > 0 ? secrets : nobody.secrets,
    ed25519: ed25519.length > 0 ? ed25519 : nobody.ed25519,
  })

  const callerOf = ({ id, rights, bounds, expiresAt, from }: Key, { address }: Client): Caller => {
    if (expiresAt !== undefined && now() >= expiresAt) throw failure('key-expired')
    if (from && !from.has(address)) throw failure('address-not-allowed', { address })
    return { id, rights, bounds, address }
  }

  const authentication = (lookUp: KeyLookup, client: Client): Authentication => {
    let lookedUpIn = ring
    let key = lookUp()
    return {
      caller: callerOf(key, client),
      callerNow() {
        try {
          if (lookedUpIn !== ring || client.isOutdated?.()) key = lookUp()
          lookedUpIn = ring
          return callerOf(key, client)
        } catch {
          return undefined
        }
      },
    }
  }

  return {
    authenticate(credentials: Credentials, client: Client): Authentication {
      const fault = client.certificate?.fault
      if (fault !== undefined) throw failure('certificate-wrong', { fault })
      if (credentials.kind === 'certificate') return authentication(authenticateCertificate(client), client)
      if (credentials.kind === 'signature')
        return authentication(authenticateSignature(credentials, client), client)
      if (credentials.kind === 'token')
        return authentication(authenticateToken(credentials.token, client), client)
      const { message } = credentials
      const signature = parseMessageSignature(message)
      const known = authentication(authenticateMessage(message, signature, client), client)
      const signedBody = { sha256: signature.contentDigest }
      const { queued } = client
      if (queued)
        return { ...known, signedBody, assertUnused: () => nonces.assertUnused(known.caller.id, queued.id) }
      const isNonceStored = nonces.use(known.caller.id, signature.nonce, signature.created * 1000 + WINDOW_MS)
      return { ...known, signedBody, isNonceStored }
    },

    use(newKeys: readonly Key[]): void {
      ring = createRing(newKeys)
    },
  }
}

/** Finds the key that credentials prove, among those that there are now. Throws AgentError when there is none. */
type KeyLookup = () => Key

/** A request for one host of a fleet could be sent to the port of another: who passes it on has read it. */
const OF_FLEET = /\.newdt\.?(:\d*)?$/i

/** By the one of the key's algorithms that has signatures of this length; in constant time for each of its secrets. */
const isSignedBy = ({ secrets, ed25519 }: Signing, signature: MessageSignature): boolean => {
  const { algorithm, base, bytes } = signature
  if (bytes.length === HMAC_BYTES && (algorithm ?? 'hmac-sha256') === 'hmac-sha256') {
    return secrets.some(secret => timingSafeEqual(createHmac('sha256', secret).update(base).digest(), bytes))
  }
  if (bytes.length !== ED25519_BYTES || (algorithm ?? 'ed25519') !== 'ed25519') return false
  return ed25519.some(publicKey => verify(null, Buffer.from(base), publicKey, bytes))
}

const HMAC_BYTES = 32
const ED25519_BYTES = 64

/** Stands for a key that is not there, or lacks such a credential: the time for a refusal must not tell which are. */
const createNobody = (): Signing => ({
  secrets: [randomBytes(32).toString('hex')],
  ed25519: [generateKeyPairSync('ed25519').publicKey],
})

type Signing = Pick<Key, 'secrets' | 'ed25519'>

const createRing = (keys: readonly Key[]) => {
  const signers: { key: Key; signer: Signer }[] = []
  // By its hash, so how long a look takes tells nothing of a token.
  const byToken = new Map<string, Key>()
  const byCertificate = new Map<string, Key>()
  for (const key of keys) {
    for (const secret of key.secrets) signers.push({ key, signer: createSigner(secret) })
    for (const hash of key.tokens) byToken.set(hash, key)
    for (const certificate of key.certificates) byCertificate.set(certificate, key)
  }
  return { signers, byToken, byCertificate, byId: new Map(keys.map(key => [key.id, key])) }
}
