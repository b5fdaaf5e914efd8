import { after } from 'node:test'
import { type AgentOptions, createHome, type RunningAgent, startAgent } from '../../support/agent.ts'
import { findByText } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'

/** One agent for the tests of a file, from when the first needs it until they are over. */
export const oneAgent = (options?: AgentOptions): (() => Promise<RunningAgent>) => {
  const home = createHome()
  let agent: Promise<RunningAgent> | undefined
  after(async () => {
    await (await agent)?.end()
    await waitFor('every process of the agent is gone', () => findByText(home.path).length === 0)
  })
  return () => {
    agent ??= startAgent(home, options)
    return agent
  }
}
