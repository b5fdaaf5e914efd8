import type { Handler } from '../services.ts'
import { commandSchema } from './job-schema.ts'
import { submitJob } from './submit-job.ts'

export const executeCommand: Handler = (request, services, context) =>
  submitJob(request, services, context, commandSchema)
