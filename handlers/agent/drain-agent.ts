import { z } from 'zod'
import { readOptionalJson } from '../http/body.ts'
import type { Handler } from '../services.ts'
import { getAgent } from './get-agent.ts'

/** The agent takes no new jobs from now on, and ends with the last that runs. Answers as GET /api/agent. */
export const drainAgent: Handler = async (request, services, context) => {
  await readOptionalJson(request, bodySchema, context.bodyRules)
  await context.auditLine.begin()
  services.drain()
  return getAgent(request, services, context)
}

export const bodySchema = z.strictObject({}).meta({ id: 'DrainRequest', description: 'Nothing, so far.' })
