import { type BareItem, type Item, parseDictionary, serializeInnerList, Token } from 'structured-headers'
import { failure } from '../base/errors.ts'

/** A request as far as a signature can cover it. */
export interface SignableMessage {
  method: string
  /** Host, and port unless it is the default one, as the client asked for it. */
  authority: string
  /** Exactly as it came, without the query. */
  path: string
  /** Exactly as it came, with the "?" that is there even when nothing follows it. */
  query: string
  /** Several values of one name are joined by ", "; undefined when there is none. */
  header(name: string): string | undefined
}

/** A signature (RFC 9421) in this agent's profile of it. */
export interface MessageSignature {
  keyId: string
  /** Undefined when the signer leaves it to the key. */
  algorithm: string | undefined
  /** Wall time in seconds. */
  created: number
  /** Wall time in seconds; the signer may shorten the window, never make it longer. */
  expires: number | undefined
  nonce: string
  bytes: Buffer
  /** What was signed. */
  base: string
  /** SHA-256 of the body; undefined when the signature covers none, so that there must be no body. */
  contentDigest: Buffer | undefined
  /** The message has no other signature. */
  isAlone: boolean
}

/** A signature for this agent has this tag; others, a proxy's for example, are none of its business. */
export const TAG = 'newdt-auto'

/**
 * The signature for this agent among those of a message. All of @method, @authority, @path and @query are covered,
 * idempotency-key where there is one, and the parameters created, nonce, keyid and tag are there. Throws AgentError message-signature-malformed, which names
 * the part.
 */
export const parseMessageSignature = (message: SignableMessage): MessageSignature => {
  const inputs = dictionaryOf(message, 'signature-input')
  const [label, ...others] = [...inputs.keys()].filter(name => inputs.get(name)![1].get('tag') === TAG)
  if (label === undefined || others.length > 0) throw malformed('tag')
  const input = inputs.get(label) as [unknown, Parameters]
  if (!Array.isArray(input[0])) throw malformed('signature-input')
  const list = input as [Item[], Parameters]
  const names = list[0].map(nameOf)
  for (const name of DERIVED) if (!names.includes(name)) throw malformed(name)
  // Who could take it out or change it on its way could have the same run twice.
  if (message.header(IDEMPOTENCY_KEY) !== undefined && !names.includes(IDEMPOTENCY_KEY))
    throw malformed(IDEMPOTENCY_KEY)
  const parameters = list[1]
  const signatures = dictionaryOf(message, 'signature')
  for (const name of parameters.keys()) if (!PARAMETERS.includes(name)) throw malformed(name)
  return {
    keyId: textOf(parameters, 'keyid'),
    algorithm: parameters.has('alg') ? textOf(parameters, 'alg') : undefined,
    created: timeOf(parameters, 'created'),
    expires: parameters.has('expires') ? timeOf(parameters, 'expires') : undefined,
    nonce: textOf(parameters, 'nonce'),
    bytes: bytesOf(signatures.get(label), 'signature'),
    base: signatureBase(message, list),
    contentDigest: names.includes('content-digest') ? digestOf(message) : undefined,
    isAlone: inputs.size === 1 && signatures.size === 1,
  }
}

/**
 * What is signed (RFC 9421, 2.5): a line for each component, and one for the list itself. Throws AgentError
 * message-signature-malformed for a component that is covered twice or is not there.
 */
export const signatureBase = (message: SignableMessage, list: [Item[], Parameters]): string => {
  const names = list[0].map(nameOf)
  if (new Set(names).size !== names.length) throw malformed('signature-input')
  const lines = names.map(name => `"${name}": ${componentOf(message, name)}`)
  return [...lines, `"@signature-params": ${serializeInnerList(list)}`].join('\n')
}

/** The SHA-256 of a Content-Digest field (RFC 9530). */
const digestOf = (message: SignableMessage): Buffer => {
  const digest = bytesOf(dictionaryOf(message, 'content-digest').get('sha-256'), 'content-digest')
  if (digest.length !== 32) throw malformed('content-digest')
  return digest
}

const componentOf = (message: SignableMessage, name: string): string => {
  switch (name) {
    case '@method':
      return message.method
    case '@authority':
      return message.authority
    case '@path':
      return message.path
    case '@query':
      return message.query
  }
  const value = name.startsWith('@') ? undefined : message.header(name)
  if (value === undefined) throw malformed(name)
  return value.trim()
}

/** A component's name is a string; parameters of components (`;sf`, `;req` …) are no part of the profile. */
const nameOf = ([name, parameters]: Item): string => {
  if (typeof name !== 'string' || parameters.size > 0 || !COMPONENT.test(name))
    throw malformed('signature-input')
  return name
}

type Parameters = Item[1]

const dictionaryOf = (message: SignableMessage, name: string): ReturnType<typeof parseDictionary> => {
  const field = message.header(name) ?? ''
  // Ours have a tenth of that; anybody may send one, and parsing takes its time.
  if (field.length > LONGEST_FIELD) throw malformed(name)
  try {
    return parseDictionary(field)
  } catch {
    throw malformed(name)
  }
}

const bytesOf = (member: unknown, name: string): Buffer => {
  const value = Array.isArray(member) ? member[0] : undefined
  if (!(value instanceof ArrayBuffer)) throw malformed(name)
  return Buffer.from(value)
}

const textOf = (parameters: Parameters, name: string): string => {
  const value: BareItem | undefined = parameters.get(name)
  const text = value instanceof Token ? undefined : value
  if (typeof text !== 'string' || text === '' || text.length > LONGEST_TEXT) throw malformed(name)
  return text
}

const timeOf = (parameters: Parameters, name: string): number => {
  const value = parameters.get(name)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw malformed(name)
  return value
}

const malformed = (part: string) =>
  failure('message-signature-malformed', { part: part.slice(0, LONGEST_TEXT) })

const DERIVED = ['@method', '@authority', '@path', '@query']
const IDEMPOTENCY_KEY = 'idempotency-key'
const PARAMETERS = ['created', 'expires', 'nonce', 'keyid', 'tag', 'alg']
const COMPONENT = /^@?[a-z0-9!#$%&'*+.^_`|~-]+$/
const LONGEST_FIELD = 4096
const LONGEST_TEXT = 128
