import type { Handler } from '../services.ts'
import { scriptSchema } from './job-schema.ts'
import { submitJob } from './submit-job.ts'

export const executeScript: Handler = (request, services, context) =>
  submitJob(request, services, context, scriptSchema)
