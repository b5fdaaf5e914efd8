import { type AgentOptions, createHome, type Home, startAgent } from './agent.ts'
import type { NatsServer } from './nats-server.ts'
import { waitFor } from './wait-for.ts'

/** Starts the real agent without a port, in the fleet of an engine, and waits until it serves it. */
export const startFleetAgent = async (
  engine: Pick<NatsServer, 'url'>,
  name: string,
  { env = {}, home = createHome(), ...options }: AgentOptions & { home?: Home } = {},
) => {
  const agent = await startAgent(home, {
    ...options,
    env: { AGENT_PORT: 'off', AGENT_NATS_URL: engine.url, AGENT_NAME: name, ...env },
  })
  await waitFor(`${name} serves the fleet`, () => agent.output().stdout.includes('"msg":"serving the fleet"'))
  return agent
}
