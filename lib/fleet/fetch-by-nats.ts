import type { NatsConnection } from '@nats-io/nats-core'
import { createAnswerReader } from './answer-reader.ts'
import { createExchanges } from './exchanges.ts'
import { FleetError } from './fleet-error.ts'
import { addressOf, subjectOf } from './names.ts'
import { SILENCE_MS, WIRE } from './wire.ts'

export interface NatsFetchOptions {
  /** What the subjects of answers begin with, where the engine lets this user subscribe; `_INBOX` by default. */
  inbox?: string
  /** As what cancel and signal are sent: `run` controls what one has submitted oneself, `admin` everything. */
  controlAs?: 'run' | 'admin'
  /** How long an agent may be silent, in milliseconds. */
  silenceMs?: number
}

/**
 * What `connect` of the client takes as its `fetch`: requests go over an engine of NATS, and the URL says to whom, such
 * as `http://db1.host.newdt/`. Which agent has answered, its header `Newdt-Host` says: one of many
 * (`http://db.role.any.newdt/`) is asked to run something, and only that; what becomes of it, that agent knows. One is good for all agents of a connection. It rejects as `fetch` does when there is no
 * answer, and with TypeError for a URL that is none of a fleet, or is for several agents: see askAll.
 */
export const createNatsFetch = (connection: NatsConnection, options: NatsFetchOptions = {}) => {
  const { controlAs = 'run', silenceMs = SILENCE_MS, ...rest } = options
  const exchanges = createExchanges(connection, rest)
  const now = () => performance.now()

  return async (url: string, init: RequestInit = {}): Promise<Response> => {
    const { host, pathname, search } = new URL(url)
    const address = addressOf(host)
    if (!address || (address.to !== 'host' && address.to !== 'any'))
      throw new TypeError(`${host} is no address of one agent of a fleet`)
    const { method = 'GET', signal } = init
    const subject = `${subjectOf(address)}.${rightFor(method, pathname, controlAs)}`
    const headers = new Headers(init.headers)
    signal?.throwIfAborted()
    const answer = Promise.withResolvers<Response>()
    const abort = (): void => {
      answer.reject(signal?.reason)
      reader.fail(new FleetError('lost', 'the caller has stopped it'))
    }
    const reader = createAnswerReader({
      onHead: answer.resolve,
      onFailed: answer.reject,
      onOver() {
        end()
        signal?.removeEventListener('abort', abort)
      },
      acknowledge: exchanges.acknowledge,
      now,
    })
    let end = (): void => {}
    let id: string | undefined
    end = exchanges.ask(
      subject,
      { method, target: pathname + search, headers, body: bytesOf(init.body) },
      {
        message(kind, found, message) {
          // What another agent sends is no answer, even if it has got to know the subject.
          if (address.to === 'host' && found.get(WIRE.host) !== address.host) return false
          // Where two answer they were two for an instant, and the first is as good.
          id ??= found.get(WIRE.answer)
          const isIts = found.get(WIRE.answer) === id
          if (isIts) reader.take(kind, found, message)
          else if (message.reply) exchanges.acknowledge(message.reply, true)
          return isIts
        },
        failed: error => reader.fail(explained(error, host)),
        look() {
          if (now() - reader.heardAt() > silenceMs)
            reader.fail(new FleetError('lost', `${host} has been silent for ${silenceMs / 1000} s`))
        },
      },
    )
    signal?.addEventListener('abort', abort)
    return answer.promise.catch(error => {
      if (error instanceof FleetError && error.fault === 'not-allowed') return notAllowed(error)
      throw error
    })
  }
}

const explained = (error: FleetError, host: string): FleetError =>
  error.fault === 'nobody-there'
    ? new FleetError('nobody-there', `no agent serves ${host}, or none has a free slot`)
    : error

/** The engine's word is final, as an agent's is. */
const notAllowed = ({ message }: FleetError): Response =>
  Response.json(
    { code: 403, success: false, msg: message, error: 'fleet-not-allowed', data: null },
    { status: 403 },
  )

const bytesOf = (body: RequestInit['body']): Uint8Array | undefined => {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof Uint8Array) return body
  throw new TypeError('a body is text or bytes')
}

/** The right that a request needs, which is what its subject ends with. */
export const rightFor = (
  method: string,
  path: string,
  controlAs: 'run' | 'admin',
): 'read' | 'run' | 'admin' => {
  if (method === 'GET' || method === 'HEAD') return 'read'
  if (/\/(cancel|signal)$/.test(path)) return controlAs
  return path === '/api/agent/drain' ? 'admin' : 'run'
}
