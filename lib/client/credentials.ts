import { decodeBase64, encodeBase64 } from './base64.ts'
import { md5 } from './md5.ts'

/**
 * What proves who asks. A `secret` or `privateKey` signs each request whole and for once (RFC 9421); with
 * `signature: 'contract'` a secret signs as the API contract has it, which covers neither method, path nor body.
 */
export type Credentials =
  | { secret: string; keyId?: string | undefined; signature?: 'rfc9421' | 'contract' | undefined }
  /** Ed25519: a CryptoKey, or PKCS #8 in PEM. */
  | { privateKey: SigningKey | string; keyId: string }
  | { token: string }

/** A CryptoKey; Node's own types have none of that name. */
export type SigningKey = Parameters<typeof crypto.subtle.sign>[1]

export interface RequestToSign {
  method: string
  url: URL
  body?: Uint8Array<ArrayBuffer> | undefined
  /** Of those headers that change what is done; the signature covers them. */
  headers?: Record<string, string>
  /** Until when it may be taken, in seconds of wall time; for one that waits in a queue. Only a signature has that. */
  expires?: number | undefined
}

/** Makes the headers that prove who sends a request; each call makes new ones. */
export type Signer = (request: RequestToSign) => Promise<Record<string, string>>

/** Throws TypeError for credentials that are none. Without any nothing is proved: the connection has to. */
export const createSigner = (credentials: Credentials | undefined): Signer => {
  if (credentials === undefined) return async () => ({})
  if ('token' in credentials) {
    const { token } = credentials
    return async () => ({ Authorization: `Bearer ${token}` })
  }
  if ('privateKey' in credentials) {
    const sign = createBytesSigner(credentials)
    return async request => signMessage(request, credentials.keyId, sign)
  }
  const { secret, keyId = 'default', signature = 'rfc9421' } = credentials
  if (secret === '') throw new TypeError('the secret is empty')
  if (!/^[\w.@-]{1,64}$/.test(keyId))
    throw new TypeError('the id of a key has 1 to 64 of the characters a-z, A-Z, 0-9, _ . @ -')
  if (signature === 'contract') return async () => signByContract(secret)
  const sign = createBytesSigner(credentials)
  return async request => signMessage(request, keyId, sign)
}

/** Signs any bytes, by Ed25519 or HMAC. */
export const createBytesSigner = (credentials: Exclude<Credentials, { token: string }>): SignBytes => {
  if ('secret' in credentials) {
    const key = importSecret(credentials.secret)
    return async bytes => crypto.subtle.sign('HMAC', await key, bytes)
  }
  const { privateKey } = credentials
  const key = typeof privateKey === 'string' ? importPem(privateKey) : Promise.resolve(privateKey)
  key.catch(() => {}) // Told with the first request.
  return async bytes => crypto.subtle.sign('Ed25519', await key, bytes)
}

const signByContract = (secret: string): Record<string, string> => {
  const signAt = String(Math.floor(Date.now() / 1000))
  return { sign: md5(signAt + md5(`${secret}newdt`)), signAt }
}

export type SignBytes = (bytes: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>

/** RFC 9421, 2.5 and 3.1, in the profile that agents take. */
const signMessage = async (
  { method, url, body, headers = {}, expires }: RequestToSign,
  keyId: string,
  sign: SignBytes,
): Promise<Record<string, string>> => {
  const digest = body && `sha-256=:${encodeBase64(await crypto.subtle.digest('SHA-256', body))}:`
  const components: [name: string, value: string][] = [
    ['@method', method],
    ['@authority', url.host],
    ['@path', url.pathname],
    ['@query', url.search === '' ? '?' : url.search],
  ]
  if (digest !== undefined) components.push(['content-digest', digest])
  const idempotencyKey = headers['Idempotency-Key']
  if (idempotencyKey !== undefined) components.push(['idempotency-key', idempotencyKey])
  const names = components.map(([name]) => `"${name}"`).join(' ')
  const created = Math.floor(Date.now() / 1000)
  const nonce = encodeBase64(crypto.getRandomValues(new Uint8Array(18)))
  const until = expires === undefined ? '' : `;expires=${expires}`
  const input = `(${names});created=${created}${until};nonce="${nonce}";keyid="${keyId}";tag="newdt-auto"`
  const lines = [...components.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${input}`]
  const bytes = await sign(new TextEncoder().encode(lines.join('\n')))
  return {
    ...(digest === undefined ? {} : { 'Content-Digest': digest }),
    'Signature-Input': `newdt=${input}`,
    Signature: `newdt=:${encodeBase64(bytes)}:`,
  }
}

const importSecret = (secret: string): Promise<SigningKey> =>
  crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])

const importPem = async (pem: string): Promise<SigningKey> => {
  const [, base64] = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem) ?? []
  if (base64 === undefined) throw new TypeError('the private key is no PKCS #8 in PEM')
  return crypto.subtle.importKey('pkcs8', decodeBase64(base64.replace(/\s/g, '')), 'Ed25519', false, ['sign'])
}
