import type { Right } from '../../lib/security/caller.ts'
import { ok } from '../http/reply.ts'
import type { AgentStatus, Handler } from '../services.ts'

/** What the agent tells of itself: its version, its slots, what it lacks; and as whom it knows the caller. */
export const getAgent: Handler = (_request, { status }, { caller: { id, rights } }) =>
  ok({ ...status(), caller: { id, rights: [...rights] } } satisfies AgentJson)

export type AgentJson = AgentStatus & { caller: { id: string; rights: Right[] } }
