import { createHome, type RunningAgent, startAgent } from '../support/agent.ts'

export interface FleetHostOptions {
  name: string
  engine: { url: string }
  /** The file that each run of a job adds a line to. */
  runs: string
  slots: number
  env?: Record<string, string>
}

/** An agent with a data directory of its own, which lives on when the agent does not. */
export const createFleetHost = ({ name, engine, runs, slots, env = {} }: FleetHostOptions) => {
  const home = createHome()
  let agent: RunningAgent | undefined
  return {
    name,
    isUp: (): boolean => agent?.lives() ?? false,
    output: (): string => agent?.output().stdout ?? '',
    async start(): Promise<void> {
      agent = await startAgent(home, {
        // Many start at a time.
        deadlineMs: 60_000,
        env: {
          AGENT_PORT: 'off',
          AGENT_NATS_URL: engine.url,
          AGENT_NAME: name,
          AGENT_LABELS: 'role=db',
          AGENT_MAX_RUNNING: String(slots),
          // For the jobs.
          FLEET_HOST: name,
          FLEET_RUNS: runs,
          ...env,
        },
      })
    },
    signal(signal: NodeJS.Signals): void {
      if (agent?.lives()) process.kill(agent.pid, signal)
    },
    /** Resolves when it has ended. */
    async end(signal: NodeJS.Signals): Promise<void> {
      await agent?.end(signal)
    },
    remove: home.remove,
  }
}

export type FleetHost = ReturnType<typeof createFleetHost>
