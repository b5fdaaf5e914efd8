import { allowedUsers } from '../../lib/jobs/account.ts'
import type { Right } from '../../lib/security/caller.ts'
import { ok } from '../http/reply.ts'
import type { AgentFacts, AgentStatus, Handler } from '../services.ts'

/** What the agent tells of itself: its version, its slots, what it lacks; its host; and as whom it knows the caller. */
export const getAgent: Handler = async (_request, { facts, status }, { caller: { id, rights, bounds } }) => {
  const { storeBytes, ...around } = await facts()
  const { runAs, ...told } = status()
  const store = { ...told.store, bytes: storeBytes }
  const users = rights.has('run') ? allowedUsers(runAs, bounds) : []
  const { commands, cwd, timeoutMs, running } = bounds
  const caller = { id, rights: [...rights], users, bounds: { commands, cwd, timeoutMs, running } }
  return ok({ ...told, store, ...around, caller } satisfies AgentJson)
}

export type AgentJson = Omit<AgentStatus, 'runAs' | 'store'> &
  Omit<AgentFacts, 'storeBytes'> & {
    store: AgentStatus['store'] & {
      /** What the database takes on the disk; null when that cannot be looked at. */
      bytes: number | null
    }
    caller: {
      id: string
      rights: Right[]
      /** Whom its jobs may run as, beside the agent's own user. */
      users: string[]
      /** What its submissions are held to; what is absent is not bounded. */
      bounds: {
        /** Whole command lines, and scripts as `sha256:<hex>:<type>`. */
        commands?: readonly string[] | undefined
        /** Directories that its jobs may run in, or below. */
        cwd?: readonly string[] | undefined
        /** The longest timeout, in milliseconds, and that of a job that asks for none. */
        timeoutMs?: number | undefined
        /** How many of its jobs may run at a time. */
        running?: number | undefined
      }
    }
  }
