import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { connect as connectAgent } from '../../lib/client/client.ts'
import { createNatsFetch } from '../../lib/fleet/fetch-by-nats.ts'
import { createQueue } from '../../lib/fleet/queue/create-queue.ts'
import { QUEUE_STREAM } from '../../lib/fleet/queue/engine-names.ts'
import { waitFor } from '../support/wait-for.ts'
import { createHome, startAgent } from './agent.ts'
import type { Bench, Checkout } from './bench.ts'
import { freePort } from './ports.ts'
import type { Scratch } from './scratch.ts'
import { SECRET } from './submission.ts'

/** What every agent of a fleet has, so that any of them may take a job. */
const LABEL = { name: 'role', value: 'bench' }

/** An engine with JetStream, so many agents that are asked over it and by HTTP, and who submits to them. */
export const startFleet = async ({ scratch, tools }: Bench, checkout: Checkout, size: number) => {
  const engine = await startEngine(scratch, tools.natsServer!)
  const connection = await connect({
    servers: engine.url,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
  })
  const credentials = { secret: SECRET }
  const fetch = createNatsFetch(connection)
  const overEngine = (name: string) => connectAgent(`http://${name}.host.newdt/`, { credentials, fetch })
  const agents = []
  for (let at = 0; at < size; at++) {
    const name = `host${at + 1}`
    const env = { AGENT_NATS_URL: engine.url, AGENT_NAME: name, AGENT_LABELS: `${LABEL.name}=${LABEL.value}` }
    agents.push(await startAgent(scratch, checkout, { home: createHome(scratch), env }))
    const found = await overEngine(name).status()
    if (!found.ok) throw found.error
  }
  const queue = createQueue(connection, { credentials })
  const manager = await jetstreamManager(connection)
  return {
    /** The first agent, by HTTP and over the engine. */
    byHttp: connectAgent(agents[0]!.url, { credentials }),
    byEngine: overEngine('host1'),

    /** Puts a command into the queue; resolves with its id when the engine has stored it. */
    async enqueue(cmd: string): Promise<string> {
      const submitted = await queue.submit({ cmd }, { label: LABEL })
      if (!submitted.ok) throw submitted.error
      return submitted.value.id
    },

    /** The first run of a queued job that has ended. */
    async runOf(id: string) {
      const ended = await queue.wait(id)
      if (!ended.ok) throw ended.error
      return ended.value.runs[0]!
    },

    /** Resolves when the ends of all queued jobs are recorded. */
    untilEmpty: () =>
      waitFor(
        'the queue is empty',
        async () => (await manager.streams.info(QUEUE_STREAM)).state.messages === 0,
        QUEUE_DEADLINE_MS,
      ),

    close: () => connection.close(),
  }
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>

const startEngine = async (scratch: Scratch, natsServer: string) => {
  const directory = scratch.directory('nats')
  const port = await freePort()
  const file = join(directory, 'nats.conf')
  writeFileSync(file, `listen: 127.0.0.1:${port}\njetstream { store_dir: "${directory}/jetstream" }\n`)
  scratch.start(natsServer, ['-c', file], { stdio: 'ignore' })
  return { url: `nats://127.0.0.1:${port}` }
}

const QUEUE_DEADLINE_MS = 300_000
