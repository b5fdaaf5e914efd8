import { headers as createHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core'
import { createMessageSigner } from '../../lib/security/message-signer.ts'
import { SECRET } from './agent.ts'

export interface RawMessageOptions {
  id: string
  cmd: string
  keyId?: string
  secret?: string
  authority?: string
  target?: string
  /** In seconds from now; none when null. */
  expiresIn?: number | null
  /** What is sent in the place of what was signed. */
  body?: string
  sentTarget?: string
}

export interface RawMessage {
  headers: MsgHdrs
  body: string
}

/** A message as any program may make it that signs by RFC 9421, without this product's client. */
export const rawMessage = (options: RawMessageOptions): RawMessage => {
  const { id, cmd, keyId = 'default', secret = SECRET, authority = 'db.role.queue.newdt' } = options
  const { target = '/api/jobs/execute/cmd', expiresIn = 3600 } = options
  const body = JSON.stringify({ cmd })
  const sign = createMessageSigner({ keyId, key: secret })
  const proof = sign({
    method: 'POST',
    authority,
    target,
    body: Buffer.from(body),
    idempotencyKey: id,
    ...(expiresIn !== null && { expires: Math.floor(Date.now() / 1000) + expiresIn }),
  })
  const headers = createHeaders()
  headers.set('Newdt-Method', 'POST')
  headers.set('Newdt-Target', options.sentTarget ?? target)
  headers.set('Content-Type', 'application/json')
  for (const [name, value] of Object.entries(proof)) headers.set(name, value)
  return { headers, body: options.body ?? body }
}

/** Without waiting for the engine's word. */
export const publishRaw = async (
  connection: NatsConnection,
  { headers, body }: RawMessage,
  subject = 'newdt.queue.role.db',
): Promise<void> => {
  connection.publish(subject, body, { headers })
  await connection.flush()
}
