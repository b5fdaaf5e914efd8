import { randomUUID } from 'node:crypto'
import { IncomingMessage } from 'node:http'
import type { Client } from '../lib/security/authenticator.ts'

/** Its id is what the client is told of an unexpected error, and what the log has. */
export class NamedRequest extends IncomingMessage {
  readonly id = randomUUID()
  client: Client = { address: '', isPrivate: false, isEncrypted: false }
  /** Host and port, and path and query, as the client has them: see normalizeTarget. */
  authority = ''
  target = ''
  /** What the handlers add to its line in the log. */
  readonly notes: object = {}
}
