import { ok } from './http/reply.ts'
import type { Context, Handler } from './services.ts'

/** Needs no signature, so it says nothing but that the agent is up. */
export const health: Handler<Context> = () => ok('up')
