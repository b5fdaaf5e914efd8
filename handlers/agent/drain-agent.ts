import { z } from 'zod'
import { readOptionalJson } from '../http/body.ts'
import { ok } from '../http/reply.ts'
import type { Handler } from '../services.ts'

/** The agent takes no new jobs from now on, and ends with the last that runs. Answers with its status. */
export const drainAgent: Handler = async (request, { drain, status }, { bodyRules }) => {
  await readOptionalJson(request, z.strictObject({}), bodyRules)
  drain()
  return ok(status())
}
