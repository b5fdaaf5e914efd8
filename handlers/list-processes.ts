import { ok } from './reply.ts'
import type { Handler } from './services.ts'

export const listProcesses: Handler = async (request, { jobs }) =>
  ok(await jobs.listProcesses(request.params.id ?? ''))
