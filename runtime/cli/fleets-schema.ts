import { z } from 'zod'
import { INBOX, isEngineUrl } from './engine-url.ts'
import { keyOfFile, oneOf, wholeCertificate } from './table-rules.ts'

const text = z.string().min(1)
const refused = (instead: string) => z.never({ error: instead }).optional()

const SIGNS =
  'secret, secret_file or private_key_file: the engine passes on what is sent, so each request has to be signed'

const table = z.strictObject({
  // Never shown by a message: a password may be in it.
  url: z.string().refine(isEngineUrl, 'must be a URL such as nats://engine:4222 or tls://engine:4222'),
  /** Who connects: a file of credentials, or one with an nkey seed. */
  creds_file: text.optional(),
  nkey_file: text.optional(),
  /** PEM: whom to trust, and the client's own certificate with its key. */
  ca: text.optional(),
  cert: text.optional(),
  cert_key: text.optional(),
  /** What the subjects of answers begin with. */
  inbox: z.string().regex(INBOX, 'must be the beginning of a subject, such as _INBOX.alice').optional(),
  /** Who asks the agents: the id of the key that signs, and what it signs with. */
  key: text.optional(),
  secret: text.optional(),
  secret_file: text.optional(),
  /** Ed25519, PKCS #8 in PEM. */
  private_key_file: text.optional(),
  token: refused(`is good for nothing in a fleet; use ${SIGNS}`),
  token_file: refused(`is good for nothing in a fleet; use ${SIGNS}`),
  signature: refused('is not for a fleet: there is only one kind, which covers the whole request'),
})

/** One fleet as the file has it. Paths are absolute, or begin with `~/`. */
export type FleetEntry = z.output<typeof table>

export const fleet = table
  .refine(...oneOf(['creds_file', 'nkey_file']))
  .refine(...oneOf(['secret', 'secret_file', 'private_key_file']))
  .refine(...keyOfFile)
  .refine(...wholeCertificate)
