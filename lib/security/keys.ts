import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { isAbsolute, normalize } from 'node:path'
import { z } from 'zod'
import { LONGEST_TIMER_MS, parseDuration } from '../base/duration.ts'
import { repeatedName } from '../base/repeated-name.ts'
import { isUser } from '../base/user-name.ts'
import { type AddressList, parseAddresses } from './address-list.ts'
import { DEFAULT_KEY, RIGHTS, type Right, type RunBounds } from './caller.ts'

/** Somebody who may ask, what proves it, and what they may do. */
export interface Key {
  id: string
  rights: ReadonlySet<Right>
  bounds: RunBounds
  /** For the contract's signature, and for that of a message (`hmac-sha256`). */
  secrets: readonly string[]
  /** Public keys for the signature of a message (`ed25519`). */
  ed25519: readonly KeyObject[]
  /** SHA-256 of each bearer token, in hex. */
  tokens: readonly string[]
  /** Of client certificates: `sha256:` and the hex fingerprint, or the subject as RFC 2253 writes it. */
  certificates: readonly string[]
  /** Wall time in milliseconds from which it is good for nothing. */
  expiresAt?: number | undefined
  /** The addresses that it may be used from; all when absent. */
  from?: AddressList | undefined
}

/**
 * The keys of a file of keys: `{"keys": [{"id": "alice", "rights": ["read"], "token": "<hex SHA-256>"}]}`. Throws an
 * Error that names the key and the field, and never a secret.
 */
export const parseKeys = (text: string): Key[] => {
  const { data, error } = fileSchema.safeParse(parseJson(text))
  if (error) throw new Error(error.issues.slice(0, MOST_FAULTS).map(faultText).join('; '))
  refuseDuplicates(
    'id',
    data.keys.map(({ id }) => [id]),
  )
  refuseDuplicates(
    'secret',
    data.keys.map(({ secrets }) => secrets),
  )
  refuseDuplicates(
    'ed25519',
    data.keys.map(({ ed25519 }) => ed25519.map(key => String(key.export({ format: 'jwk' }).x))),
  )
  refuseDuplicates(
    'certificate',
    data.keys.map(({ certificates }) => certificates),
  )
  refuseDuplicates(
    'token',
    data.keys.map(({ tokens }) => tokens),
  )
  return data.keys
}

/** The key of the contract's secrets, with all rights unless the file says otherwise; then the others. */
export const withDefaultKey = (keys: readonly Key[], secrets: readonly string[]): Key[] => {
  const given = keys.find(({ id }) => id === DEFAULT_KEY)
  const others = keys.filter(key => key !== given)
  const key = given ?? {
    id: DEFAULT_KEY,
    rights: new Set<Right>(RIGHTS),
    bounds: {},
    secrets: [],
    ed25519: [],
    tokens: [],
    certificates: [],
  }
  if (others.some(other => other.secrets.some(secret => secrets.includes(secret)))) {
    throw new Error('keys: one of them has the secret of the key "default"')
  }
  return [{ ...key, secrets: [...new Set([...secrets, ...key.secrets])] }, ...others]
}

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

const parseJson = (text: string): unknown => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The message of JSON.parse quotes the text, secrets included.
    throw new Error('it is not JSON')
  }
  const repeated = repeatedName(text)
  // Whoever reads the file would take the first for what is meant.
  if (repeated !== undefined) throw new Error(`an object has ${JSON.stringify(repeated)} twice`)
  return value
}

const faultText = ({ path, message }: z.core.$ZodIssue): string =>
  `${path.map(String).join('.') || 'the file'}: ${message}`

const refuseDuplicates = (field: string, ofKeys: (readonly string[])[]): void => {
  const seen = new Map<string, number>()
  for (const [index, values] of ofKeys.entries()) {
    for (const value of values) {
      const other = seen.get(value)
      if (other !== undefined) throw new Error(`keys.${index}: has the same ${field} as keys.${other}`)
      seen.set(value, index)
    }
  }
}

/** Rotation is having two of a kind for a while. */
const oneOrMore = <T extends z.ZodType<unknown>>(schema: T) =>
  z
    .union([schema, z.array(schema).min(1)])
    .transform(value => (Array.isArray(value) ? value : [value])) as z.ZodType<z.output<T>[]>

const absolutePath = z
  .string()
  .refine(path => isAbsolute(path) && !path.includes('\0'), 'must be an absolute path')
  .transform(path => normalize(`${path}/`))

const publicKeyOf = (base64: string): KeyObject => {
  const x = Buffer.from(base64, 'base64').toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
}

const certificate = z
  .string()
  .regex(
    /^(?:sha256:[0-9a-f]{64}|[A-Za-z0-9.]+=[^\0]*)$/,
    'must be sha256: and the 64 hex digits of a fingerprint, or a subject such as CN=alice,O=Example',
  )

const command = z
  .string()
  .min(1)
  .refine(
    text => !text.startsWith('sha256:') || /^sha256:[0-9a-f]{64}(?::(?:shell|python))?$/.test(text),
    'must be sha256: and 64 hex digits, then :shell or :python',
  )

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0 && ms <= LONGEST_TIMER_MS) return ms
  context.addIssue({ code: 'custom', message: 'must be a duration such as 30s or 5m, at most 24d' })
  return z.NEVER
})

const user = z.string().refine(isUser, 'must be a user such as deploy or deploy:www-data, by name')

const addresses = z
  .array(z.string())
  .min(1)
  .transform((items, context) => {
    const { list, faults } = parseAddresses(items)
    for (const index of faults)
      context.addIssue({ code: 'custom', path: [index], message: 'must be an address or a CIDR range' })
    return list
  })

const keySchema = z
  .strictObject({
    id: z.string().regex(/^[\w.@-]{1,64}$/, 'must be 1 to 64 of the characters a-z, A-Z, 0-9, _ . @ -'),
    rights: z.array(z.enum(RIGHTS)).min(1),
    secret: oneOrMore(z.string().min(16, 'must have 16 characters or more')).optional(),
    ed25519: oneOrMore(
      z
        .string()
        .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be the 32 bytes of a public key in base64, 44 characters'),
    ).optional(),
    token: oneOrMore(z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of a token in hex')).optional(),
    certificate: oneOrMore(certificate).optional(),
    expires: z.iso
      .datetime({ offset: true, error: 'must be a time such as 2027-01-31T00:00:00Z' })
      .optional(),
    from: addresses.optional(),
    cwd: z.array(absolutePath).min(1).optional(),
    commands: z.array(command).min(1).optional(),
    timeout: duration.optional(),
    running: z.number().int().min(1).optional(),
    users: z.array(user).min(1).optional(),
  })
  .transform(
    ({
      id,
      rights,
      secret = [],
      ed25519 = [],
      token = [],
      certificate = [],
      expires,
      from,
      cwd,
      commands,
      timeout,
      running,
      users,
    }): Key => ({
      id,
      rights: new Set<Right>(rights),
      bounds: { cwd, commands, timeoutMs: timeout, running, users },
      secrets: secret,
      ed25519: ed25519.map(publicKeyOf),
      tokens: token,
      certificates: certificate,
      expiresAt: expires === undefined ? undefined : Date.parse(expires),
      from,
    }),
  )
  .refine(
    ({ id, secrets, ed25519, tokens, certificates }) =>
      id === DEFAULT_KEY || [secrets, ed25519, tokens, certificates].some(of => of.length > 0),
    'needs a secret, an ed25519, a token or a certificate',
  )

const fileSchema = z.strictObject({ keys: z.array(keySchema) })

const MOST_FAULTS = 10
