import { JOB_ID_HEADER, ok } from '../http/reply.ts'
import type { Handler } from '../services.ts'

export const listProcesses: Handler = async (request, { jobs }) => {
  const id = request.params.id ?? ''
  return ok(await jobs.listProcesses(id), { [JOB_ID_HEADER]: id })
}
