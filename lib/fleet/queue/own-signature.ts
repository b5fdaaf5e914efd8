import { encodeBase64 } from '../../client/base64.ts'
import type { SignBytes } from '../../client/credentials.ts'
import { type FleetLabel, queueAuthorityOf } from '../names.ts'
import type { QueuedMessage } from './message.ts'
import { parseSignatureInput } from './signature-input.ts'

/**
 * Whether a message for this label was signed whole with the very key that `sign` signs with, however long ago: both
 * HMAC and Ed25519 give the same signature of the same bytes.
 */
export const isSignedBy = async (
  sign: SignBytes,
  { method, target, headers, body }: QueuedMessage,
  label: FleetLabel,
): Promise<boolean> => {
  const byName = new Map(headers)
  const input = parseSignatureInput(byName.get('signature-input') ?? '')
  if (!input || input.parameters.get('tag') !== TAG) return false
  const digest = `sha-256=:${encodeBase64(await crypto.subtle.digest('SHA-256', new Uint8Array(body)))}:`
  if (byName.get('content-digest') !== digest) return false
  const [path = '', query = ''] = target.split('?')
  const values = new Map([
    ['@method', method],
    ['@authority', queueAuthorityOf(label)],
    ['@path', path],
    ['@query', `?${query}`],
    ['content-digest', digest],
    ['idempotency-key', byName.get('idempotency-key') ?? ''],
  ])
  if (
    input.components.length !== values.size ||
    ![...values.keys()].every(one => input.components.includes(one))
  )
    return false
  const base = [
    ...input.components.map(name => `"${name}": ${values.get(name)}`),
    `"@signature-params": ${input.text}`,
  ].join('\n')
  const bytes = await sign(new TextEncoder().encode(base))
  return byName.get('signature') === `${input.label}=:${encodeBase64(bytes)}:`
}

const TAG = 'newdt-auto'
