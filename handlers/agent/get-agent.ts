import { allowedUsers } from '../../lib/jobs/account.ts'
import type { Right } from '../../lib/security/caller.ts'
import { ok } from '../http/reply.ts'
import type { AgentStatus, Handler } from '../services.ts'

/** What the agent tells of itself: its version, its slots, what it lacks; and as whom it knows the caller. */
export const getAgent: Handler = (_request, { status }, { caller: { id, rights, bounds } }) => {
  const { runAs, ...told } = status()
  const users = rights.has('run') ? allowedUsers(runAs, bounds) : []
  return ok({ ...told, caller: { id, rights: [...rights], users } } satisfies AgentJson)
}

export type AgentJson = Omit<AgentStatus, 'runAs'> & {
  caller: {
    id: string
    rights: Right[]
    /** Whom its jobs may run as, beside the agent's own user. */
    users: string[]
  }
}
