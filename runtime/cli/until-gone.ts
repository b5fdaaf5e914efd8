import { setTimeout } from 'node:timers/promises'
import type { Agent, AgentClient, ClientError } from '../../lib/client/client.ts'
import { isPassing } from '../../lib/client/retry.ts'
import { Failure } from './failure.ts'

interface GoneOptions {
  /** The agent as it was when it was drained. */
  drained: Pick<Agent, 'startTime'>
  /** Told each time when there is another reason why the agent cannot be asked. */
  onLost(line: string): Promise<void>
  signal: AbortSignal
  /** The time between looks, in milliseconds. */
  lookMs?: number
  /** For how long an agent that cannot be asked is looked for, in milliseconds. */
  patienceMs?: number
}

/**
 * Resolves when a drained agent has ended: nobody takes connections there any more, or another agent does. That the
 * network is lost, or that a proxy has a bad moment, says nothing of it. Rejects with ClientError, and with Failure
 * when the agent could not be asked for too long.
 */
export const untilGone = async (
  client: Pick<AgentClient, 'status'>,
  { drained, onLost, signal, lookMs = 1000, patienceMs = 600_000 }: GoneOptions,
): Promise<void> => {
  let gateways = 0
  let lostAt: number | undefined
  let told: string | undefined
  while (true) {
    const status = await client.status({ signal })
    if (status.ok) {
      if (isAnother(status.value, drained)) return
      gateways = 0
      lostAt = undefined
      told = undefined
    } else {
      const { error } = status
      if (isRefused(error)) return
      if (!isPassing(error)) throw error
      gateways = error.status === 502 || isNobodyThere(error) ? gateways + 1 : 0
      if (gateways === GATEWAYS) return
      lostAt ??= performance.now()
      if (performance.now() - lostAt > patienceMs)
        throw new Failure(`it is not known whether the agent has ended: ${error.message}`)
      if (told !== error.message && !isNobodyThere(error)) await onLost(error.message)
      told = error.message
    }
    await setTimeout(lookMs, undefined, { signal }).catch(() => {}) // Then the next look is stopped.
  }
}

/** Agents of before do not tell when they were started; but one that takes jobs is not the one that was drained. */
const isAnother = ({ startTime, draining }: Agent, drained: Pick<Agent, 'startTime'>): boolean =>
  startTime === undefined ? !draining : startTime !== drained.startTime

/** Everything else that keeps a connection from coming about may be of the network. */
const isRefused = ({ word, cause }: ClientError): boolean => {
  const { cause: reason = cause } = Object(cause) as { cause?: unknown }
  const { code, errors = [] } = Object(reason) as { code?: unknown; errors?: unknown[] }
  // A name may have several addresses.
  const codes = errors.length > 0 ? errors.map(error => Object(error).code) : [code]
  return word === 'unreachable' && codes.every(one => one === 'ECONNREFUSED')
}

/** Of a fleet: its engine knows of nobody who has that name, which may be so while an agent comes back to it. */
const isNobodyThere = ({ cause }: ClientError): boolean => Object(cause).fault === 'nobody-there'

/** So often in a row a proxy, or the engine of a fleet, has to say that it reaches nobody: it says so in a bad moment, too. */
const GATEWAYS = 5
