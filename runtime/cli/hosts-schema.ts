import { z } from 'zod'
import { fleet } from './fleets-schema.ts'
import { keyOfFile, oneOf, wholeCertificate } from './table-rules.ts'

export type { FleetEntry } from './fleets-schema.ts'

export const HOST_NAME = /^[A-Za-z0-9][\w.-]{0,62}$/

const text = z.string().min(1)

const entry = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be a URL such as https://db1.example.com:8443' }),
  /** The id of the key that signs. */
  key: text.optional(),
  secret: text.optional(),
  secret_file: text.optional(),
  token: text.optional(),
  token_file: text.optional(),
  /** Ed25519, PKCS #8 in PEM. */
  private_key_file: text.optional(),
  signature: z.enum(['rfc9421', 'contract']).optional(),
  /** PEM: whom to trust, and the client's own certificate with its key. */
  ca: text.optional(),
  cert: text.optional(),
  cert_key: text.optional(),
})

/** One host as the file has it. Paths are absolute, or begin with `~/`. */
export type HostEntry = z.output<typeof entry>

const CREDENTIALS = ['secret', 'secret_file', 'token', 'token_file', 'private_key_file'] as const

/** hosts.toml: `[hosts.db1]` and `[fleets.prod]`, each with its `url`, how to prove who asks, and whom to trust. */
export const hostsSchema = z
  .strictObject({
    current: text.optional(),
    hosts: z
      .record(
        z.string().regex(HOST_NAME, 'a name has letters, digits, . _ and -'),
        entry
          .refine(...oneOf(CREDENTIALS))
          .refine(...keyOfFile)
          .refine(...wholeCertificate),
      )
      .default({}),
    fleets: z.record(z.string().regex(HOST_NAME, 'a name has letters, digits, . _ and -'), fleet).optional(),
  })
  .refine(({ current, hosts }) => current === undefined || Object.hasOwn(hosts, current), {
    path: ['current'],
    error: 'is none of the hosts',
  })
