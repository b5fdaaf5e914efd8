import { z } from 'zod'
import { readOptionalJson } from '../http/body.ts'
import { ok } from '../http/reply.ts'
import type { Handler } from '../services.ts'

/** The agent takes no new jobs from now on, and ends with the last that runs. Answers with its status. */
export const drainAgent: Handler = async (request, { drain, status, bodyLimit }) => {
  await readOptionalJson(request, z.strictObject({}), bodyLimit)
  drain()
  return ok(status())
}
