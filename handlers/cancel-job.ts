import { okJob } from './reply.ts'
import type { Handler } from './services.ts'

/** Answers once nothing of the job lives any more. */
export const cancelJob: Handler = async (request, { jobs }) =>
  okJob(await jobs.cancel(request.params.id ?? ''))
