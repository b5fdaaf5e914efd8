import { failure } from '../base/errors.ts'
import type { MessageSignature, SignableMessage } from './message-signature.ts'

/** How old the signature of a message may be, and how far in the future. */
export const WINDOW_MS = 5 * 60_000

export const checkAge = ({ created, expires }: MessageSignature, now: number): void => {
  const lateMs = now - Math.min(created * 1000 + WINDOW_MS, (expires ?? Number.POSITIVE_INFINITY) * 1000)
  if (lateMs > 0) throw failure('signature-expired', { seconds: Math.ceil(lateMs / 1000) })
  const earlyMs = created * 1000 - now
  if (earlyMs > WINDOW_MS) throw failure('signature-ahead', { seconds: Math.ceil(earlyMs / 1000) })
}

/**
 * What has waited in a queue may be days old, but not older than its signer has allowed. Its id is signed, and its body
 * must be: whoever keeps the queue could change what is not. No other signature is there: others could add one, and have
 * it taken for this one.
 */
export const checkQueued = (
  message: SignableMessage,
  signature: MessageSignature,
  id: string,
  now: number,
): void => {
  const { created, expires, contentDigest, isAlone } = signature
  if (!isAlone) throw failure('message-signature-malformed', { part: 'signature-input' })
  if (expires === undefined || (expires - created) * 1000 > LONGEST_QUEUED_MS)
    throw failure('message-signature-malformed', { part: 'expires' })
  if (message.header('idempotency-key') !== id)
    throw failure('message-signature-malformed', { part: 'idempotency-key' })
  if (!contentDigest) throw failure('message-signature-malformed', { part: 'content-digest' })
  const lateMs = now - expires * 1000
  if (lateMs > 0) throw failure('signature-expired', { seconds: Math.ceil(lateMs / 1000) })
  const earlyMs = created * 1000 - now
  if (earlyMs > WINDOW_MS) throw failure('signature-ahead', { seconds: Math.ceil(earlyMs / 1000) })
}

/** How long a signed request may wait in a queue. */
const LONGEST_QUEUED_MS = 7 * 24 * 3600_000
