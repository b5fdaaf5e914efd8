import { ok } from '../http/reply.ts'
import type { Handler } from '../services.ts'

/** What the agent tells of itself: its version, its slots, and what it lacks. */
export const getAgent: Handler = (_request, { status }) => ok(status())
