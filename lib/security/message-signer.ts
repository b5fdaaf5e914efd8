import { createHash, createHmac, type KeyObject, randomBytes, sign } from 'node:crypto'
import { type BareItem, type Item, serializeInnerList } from 'structured-headers'
import { signatureBase, TAG } from './message-signature.ts'

/** A request that is to be signed. */
export interface MessageToSign {
  method: string
  /** Host, and port unless it is the default one. */
  authority: string
  /** Path and query. */
  target: string
  body?: Uint8Array | undefined
  idempotencyKey?: string | undefined
  /** Until when it may be taken, in seconds of wall time. */
  expires?: number | undefined
}

export interface MessageSignerOptions {
  keyId: string
  /** A secret signs by hmac-sha256, a private key by ed25519. */
  key: string | KeyObject
  /** Wall time in milliseconds. */
  now?: () => number
}

/** Signs requests as an agent wants it (RFC 9421), each with a nonce of its own; returns the headers to be added. */
export const createMessageSigner =
  ({ keyId, key, now = Date.now }: MessageSignerOptions) =>
  ({ method, authority, target, body, idempotencyKey, expires }: MessageToSign): Record<string, string> => {
    const [path = '', ...rest] = target.split('?')
    const digest = body && `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    const fields: Record<string, string> = {
      ...(digest && { 'Content-Digest': digest }),
      ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
    }
    const byName = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
    const names = ['@method', '@authority', '@path', '@query', ...byName.keys()]
    const list: [Item[], Map<string, BareItem>] = [
      names.map(name => [name, new Map()]),
      new Map<string, BareItem>([
        ['created', Math.floor(now() / 1000)],
        ...(expires === undefined ? [] : [['expires', expires] as [string, BareItem]]),
        ['nonce', randomBytes(16).toString('base64url')],
        ['keyid', keyId],
        ['tag', TAG],
      ]),
    ]
    const message = {
      method,
      authority: authority.toLowerCase(),
      path,
      query: `?${rest.join('?')}`,
      header: (name: string) => byName.get(name),
    }
    const base = signatureBase(message, list)
    const bytes =
      typeof key === 'string'
        ? createHmac('sha256', key).update(base).digest()
        : sign(null, Buffer.from(base), key)
    return {
      ...fields,
      'Signature-Input': `newdt=${serializeInnerList(list)}`,
      Signature: `newdt=:${bytes.toString('base64')}:`,
    }
  }
