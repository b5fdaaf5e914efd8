import type { LivingProcess } from '../../lib/process/types.ts'
import { JOB_ID_HEADER, ok } from '../http/reply.ts'
import type { Handler } from '../services.ts'

/** What of a job lives now: all of it while it runs, then its leftovers. */
export const listProcesses: Handler = async (request, { jobs }) => {
  const id = request.params.id ?? ''
  return ok((await jobs.listProcesses(id)).map(processJson), { [JOB_ID_HEADER]: id })
}

/** `residentBytes` is the memory that it takes; the agent's own marks are of no use to a client. */
const processJson = ({ pid, parent, state, command, cpu, residentBytes }: LivingProcess) => ({
  pid,
  parent,
  state,
  command,
  cpu,
  residentBytes,
})

export type ProcessJson = ReturnType<typeof processJson>
