import { createHash } from 'node:crypto'
import { jetstream } from '@nats-io/jetstream'
import { headers as createHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core'
import { deadSubjectOf } from '../../../lib/fleet/names.ts'
import { DEAD_HEADERS, ENGINE_ANSWER_MS } from '../../../lib/fleet/queue/engine-names.ts'
import { isQueueId } from '../../../lib/fleet/queue/queued-job.ts'
import { headersOf } from '../../../lib/fleet/wire.ts'
import { type Delivery, positionOf } from './delivery.ts'

/** Why a message is put aside: `lost`, `refused forbidden` … */
export type DeadLetter = (delivery: Delivery, id: string | undefined, reason: string) => Promise<void>

/**
 * Puts messages that are never run again where they can be looked at, and submitted again. What is too large with its
 * reason goes without its body, which its SHA-256 stands for. Rejects when the engine does not take it. `name` is for
 * the engine, which takes one of a name.
 */
export const createDeadLetters = (connection: () => NatsConnection, host: string): DeadLetter => {
  return async ({ message, from }, id, reason) => {
    const own: [name: string, value: string][] = [
      [DEAD_HEADERS.reason, reason],
      [DEAD_HEADERS.host, host],
    ]
    const digest: [name: string, value: string][] = [
      [DEAD_HEADERS.bytes, String(message.data.length)],
      [DEAD_HEADERS.digest, createHash('sha256').update(message.data).digest('hex')],
    ]
    const sent = [...(headersOf(message) ?? [])].filter(([name]) => !/^nats-/i.test(name))
    const most = (connection().info?.max_payload ?? Number.POSITIVE_INFINITY) - SPARE_BYTES
    const fits = ({ headers, body }: Letter) => bytesOf(headers) + body.length <= most
    const letter = [
      { headers: withHeaders(sent, own), body: message.data },
      { headers: withHeaders(sent, [...own, ...digest]), body: NO_BODY },
      { headers: withHeaders([], [...own, ...digest]), body: NO_BODY },
    ].find(fits)!
    const known = id !== undefined && isQueueId(id) ? id : undefined
    await jetstream(connection()).publish(deadSubjectOf(from.label, known), letter.body, {
      headers: letter.headers,
      msgID: known === undefined ? `position.${positionOf(message.reply)?.position}` : `${known}.dead`,
      timeout: ENGINE_ANSWER_MS,
    })
  }
}

interface Letter {
  headers: MsgHdrs
  body: Uint8Array
}

const withHeaders = (sent: [string, string[]][], own: [string, string][]): MsgHdrs => {
  const headers = createHeaders()
  for (const [name, values] of sent) for (const value of values) headers.append(name, value)
  for (const [name, value] of own) headers.set(name, value)
  return headers
}

const bytesOf = (headers: MsgHdrs): number => {
  let bytes = 0
  for (const [name, values] of headers)
    for (const value of values) bytes += Buffer.byteLength(`${name}: ${value}\r\n`)
  return bytes
}

const NO_BODY = new Uint8Array()
/** For what the library adds. */
const SPARE_BYTES = 512
