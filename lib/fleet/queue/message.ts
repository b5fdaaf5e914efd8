import type { MsgHdrs } from '@nats-io/nats-core'
import { type FleetLabel, labelText, type Priority, queueAuthorityOf } from '../names.ts'
import { messageHeaders, WIRE } from '../wire.ts'
import { parametersText, parseParameters, type QueueParameters } from './parameters.ts'
import { isQueueId, LONGEST_WAIT_MS, type QueuedFacts } from './queued-job.ts'
import { parseSignatureInput } from './signature-input.ts'

/** A signed request as it waits in the queue; all of it but the subject is what its submitter has signed. */
export interface QueuedMessage {
  id: string
  method: string
  /** With the parameters as its query. */
  target: string
  parameters: QueueParameters
  /** Of HTTP, in lower case: those that a queued request may have. */
  headers: [name: string, value: string][]
  body: Uint8Array
}

/** What a submission runs. */
export type QueuedKind = 'cmd' | 'script'

export const queueTarget = (kind: QueuedKind, parameters: QueueParameters): string => {
  const query = parametersText(parameters)
  return `${PATH}${kind}${query === '' ? '' : `?${query}`}`
}

/** The URL that is signed. */
export const queueUrl = (label: FleetLabel, target: string): URL =>
  new URL(`http://${queueAuthorityOf(label)}${target}`)

/** The headers of the message that it waits as. */
export const queueHeaders = (
  id: string,
  target: string,
  http: Iterable<[name: string, value: string]>,
): MsgHdrs => messageHeaders({ 'Nats-Msg-Id': id, [WIRE.method]: 'POST', [WIRE.target]: target }, http)

/** Undefined for a message that is none: anybody may publish one who may publish to the queue. */
export const parseMessage = (headers: MsgHdrs | undefined, body: Uint8Array): QueuedMessage | undefined => {
  if (!headers) return undefined
  const http = HTTP_HEADERS.flatMap((name): [string, string][] => {
    const values = valuesOf(headers, name)
    return values.length === 0 ? [] : [[name, values.join(', ')]]
  })
  const id = http.find(([name]) => name === 'idempotency-key')?.[1] ?? ''
  const method = headers.get(WIRE.method)
  const target = headers.get(WIRE.target)
  const [path = '', query = ''] = splitAt(target, '?')
  const parameters = parseParameters(query)
  if (!isQueueId(id) || method !== 'POST' || !parameters || !/^(cmd|script)$/.test(kindOf(path) ?? ''))
    return undefined
  return { id, method, target, parameters, headers: http, body }
}

/** What tells this message from another one with the same id; of what is signed, of the signature, and of how it is read. */
export const fingerprintOf = async ({
  target,
  headers,
  body,
}: Omit<QueuedMessage, 'id' | 'method' | 'parameters'>): Promise<string> => {
  const ofHeader = (name: string): string => headers.find(([one]) => one === name)?.[1] ?? ''
  const signed = [
    target,
    ofHeader('content-type'),
    ofHeader('content-digest'),
    ofHeader('signature-input'),
    ofHeader('signature'),
    ofHeader('idempotency-key'),
  ].join('\n')
  return digestOf(signed, body)
}

/** The same for whoever submits the same once more. */
export const contentOf = ({ target, body }: Pick<QueuedMessage, 'target' | 'body'>): Promise<string> =>
  digestOf(target, body)

/** 32 hex digits. */
const digestOf = async (text: string, body: Uint8Array): Promise<string> => {
  const both = await Promise.all(
    [new TextEncoder().encode(text), body].map(bytes =>
      crypto.subtle.digest('SHA-256', new Uint8Array(bytes)),
    ),
  )
  const digest = await crypto.subtle.digest(
    'SHA-256',
    new Uint8Array(both.flatMap(one => [...new Uint8Array(one)])),
  )
  return Array.from(new Uint8Array(digest).subarray(0, 16), byte => byte.toString(16).padStart(2, '0')).join(
    '',
  )
}

/** What people are told of it before anybody has looked whether it is right. */
export const factsOfMessage = (
  { id, target, parameters, headers, body }: QueuedMessage,
  { label, priority }: { label: FleetLabel; priority: Priority },
  { nowMs, ...marks }: { fingerprint: string; content: string; nowMs: number },
): Omit<QueuedFacts, 'runs' | 'passes'> => {
  return {
    id,
    label: labelText(label),
    priority,
    ...parameters,
    summary: summaryOf(kindOf(target.split('?')[0] ?? '') ?? 'cmd', body),
    ...marks,
    createdAt: timeText(timeOf(headers, 'created') ?? nowMs),
    expiresAt: timeText(expiryOf({ headers }, nowMs)),
  }
}

/** Wall time in milliseconds; as late as possible where the message does not say. */
export const expiryOf = ({ headers }: Pick<QueuedMessage, 'headers'>, nowMs = Date.now()): number =>
  timeOf(headers, 'expires') ?? nowMs + LONGEST_WAIT_MS

/** The beginning of a command, or the name of a script. */
export const summaryOf = (kind: string, body: Uint8Array): string => {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    const { cmd, scriptName } = value as Record<string, unknown>
    const text = kind === 'cmd' ? cmd : scriptName
    return typeof text === 'string' ? [...text].slice(0, SUMMARY_LETTERS).join('') : ''
  } catch {
    return ''
  }
}

const PATH = '/api/jobs/execute/'

const kindOf = (path: string): string | undefined =>
  path.startsWith(PATH) ? path.slice(PATH.length) : undefined

/** What else a client may send has no meaning here, and is not signed. */
const HTTP_HEADERS = ['content-type', 'content-digest', 'idempotency-key', 'signature-input', 'signature']

const valuesOf = (headers: MsgHdrs, name: string): string[] => {
  const found: string[] = []
  for (const [one, values] of headers) if (one.toLowerCase() === name) found.push(...values)
  return found
}

/** What is before and after the first separator. */
const splitAt = (text: string, separator: string): [string, string?] => {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

const timeOf = (headers: QueuedMessage['headers'], name: 'created' | 'expires'): number | undefined => {
  const field = headers.find(([one]) => one === 'signature-input')?.[1] ?? ''
  const seconds = parseSignatureInput(field)?.parameters.get(name)
  return typeof seconds === 'number' && seconds <= LATEST_S ? seconds * 1000 : undefined
}

const timeText = (ms: number): string => new Date(ms).toISOString()

const SUMMARY_LETTERS = 200
/** In the year 5138. */
const LATEST_S = 99_999_999_999
