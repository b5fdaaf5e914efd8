import type { NatsConnection } from '@nats-io/nats-core'
import { type Service, Svcm } from '@nats-io/services'
import type { Log } from '../../lib/base/log.ts'
import { type FleetLabel, labelText, subjectOf } from '../../lib/fleet/names.ts'

export interface RegisterOptions {
  connection: NatsConnection
  name: string
  labels: readonly FleetLabel[]
  version: string
  /** What changes. */
  state(): AgentState
  log: Log
}

export interface AgentState {
  running: number
  limit: number
  draining: boolean
  /** False while another agent has the name. */
  serving: boolean
}

/** Has the agent found by whoever looks for services. Never rejects. */
export const register = async (options: RegisterOptions): Promise<Service | undefined> => {
  const { connection, name, labels, version, state, log } = options
  try {
    const service = await new Svcm(connection).add({
      name: SERVICE,
      version,
      description: 'runs commands and scripts on its host',
      metadata: { name, labels: JSON.stringify(labels.map(labelText)) },
      // Each agent answers, not one of them.
      queue: '',
      statsHandler: async () => state(),
    })
    // What an agent tells of itself is told for each endpoint. What comes on this one is for watchRivals.
    service.addEndpoint('name', { subject: nameSubjectOf(name), handler() {} })
    void service.stopped.then(error => {
      if (error) log.error({ error: error.message }, 'THE ENGINE DOES NOT LET THE AGENT BE FOUND')
    })
    return service
  } catch (error) {
    log.error({ error: (error as Error).message }, 'THE ENGINE DOES NOT LET THE AGENT BE FOUND')
    return undefined
  }
}

/** Where agents of a name say that they have it. */
export const nameSubjectOf = (name: string): string => `${subjectOf({ to: 'host', host: name })}.name`

const SERVICE = 'newdt-auto'
