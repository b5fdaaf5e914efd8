import { type Msg, type NatsConnection, PermissionViolationError } from '@nats-io/nats-core'
import { stopStatus } from './exchanges.ts'
import { FleetError } from './fleet-error.ts'
import { newInbox, refuseUnfit } from './inbox.ts'
import { isHostName, parseLabel } from './names.ts'
import { headersOf, isNobodyThere } from './wire.ts'

/** An agent as it tells of itself. */
export interface FleetHost {
  name: string
  /** Tells two agents of one name apart. */
  id: string
  version: string
  labels: Record<string, string>
  running: number
  limit: number
  draining: boolean
  /** False while another agent has the same name, and this one serves nothing. */
  serving: boolean
  /** When it joined, RFC 3339. */
  started: string
}

export interface FindOptions {
  /** What the subjects of answers begin with; `_INBOX` by default. */
  inbox?: string
  /** How long the first may take, and all of them, in milliseconds. */
  waitMs?: number
  /** How long nobody may have answered for it to be over. */
  stallMs?: number
}

/**
 * All agents that answer in time, by their names; two of one name are both there. What is no agent's answer is dropped.
 * Rejects with FleetError, and with TypeError for an `inbox` on which no agent answers.
 */
export const findHosts = async (
  connection: NatsConnection,
  { inbox = '_INBOX', waitMs = 3000, stallMs = 500 }: FindOptions = {},
): Promise<FleetHost[]> => {
  const hosts = new Map<string, FleetHost>()
  const over = Promise.withResolvers<void>()
  refuseUnfit(inbox)
  const reply = newInbox(inbox)
  let stalled: ReturnType<typeof setTimeout> | undefined
  const all = setTimeout(over.resolve, waitMs)
  const refused = (): void =>
    over.reject(new FleetError('not-allowed', 'the engine does not let this user look for agents'))
  const subscription = connection.subscribe(reply, {
    callback(error, message) {
      if (error) return refused()
      if (isNobodyThere(message, headersOf(message))) return over.resolve()
      const host = hostOf(message)
      if (host && hosts.size < MOST_HOSTS) hosts.set(host.id, host)
      clearTimeout(stalled)
      stalled = setTimeout(over.resolve, stallMs)
    },
  })
  const statuses = connection.status()
  void (async () => {
    for await (const status of statuses) {
      if (
        status.type === 'error' &&
        status.error instanceof PermissionViolationError &&
        status.error.subject === LOOK
      )
        refused()
    }
  })()
  try {
    connection.publish(LOOK, undefined, { reply })
    await over.promise
  } finally {
    clearTimeout(all)
    clearTimeout(stalled)
    subscription.unsubscribe()
    stopStatus(statuses)
  }
  return [...hosts.values()].sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id))
}

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other))

/** Where all services of this name tell of themselves. */
const LOOK = '$SRV.STATS.newdt-auto'

/** Undefined for what no agent sends: anybody may answer. */
const hostOf = (message: Msg): FleetHost | undefined => {
  if (message.data.length > MOST_BYTES) return undefined
  try {
    const { name, id, version, started, metadata, endpoints } = JSON.parse(
      new TextDecoder().decode(message.data),
    )
    const { running, limit, draining, serving } = endpoints[0].data
    const labels: unknown = JSON.parse(metadata.labels)
    const isOne =
      name === 'newdt-auto' &&
      isText(id, /^[\w-]{1,64}$/) &&
      isText(version, /^\d[\w.+-]{0,31}$/) &&
      isText(started, /^\d{4}-\d\d-\d\dT[\d:.]{8,18}Z$/) &&
      isText(metadata.name, /^/) &&
      isHostName(metadata.name) &&
      [running, limit].every(count => Number.isSafeInteger(count) && count >= 0) &&
      [draining, serving].every(flag => typeof flag === 'boolean')
    if (!isOne) return undefined
    return {
      name: metadata.name,
      id,
      version,
      labels: labelsOf(labels),
      running,
      limit,
      draining,
      serving,
      started,
    }
  } catch {
    return undefined
  }
}

const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value)

/** Throws for what are none. */
const labelsOf = (texts: unknown): Record<string, string> => {
  if (!Array.isArray(texts) || texts.length > MOST_LABELS) throw new TypeError('these are no labels')
  return Object.fromEntries(
    texts.map(text => {
      const label = parseLabel(String(text))
      if (!label) throw new TypeError('this is no label')
      return [label.name, label.value]
    }),
  )
}

const MOST_HOSTS = 100_000
const MOST_BYTES = 64 << 10
const MOST_LABELS = 64
