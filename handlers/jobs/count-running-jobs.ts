import { ok } from '../http/reply.ts'
import type { Handler } from '../services.ts'

export const countRunningJobs: Handler = (_request, { jobs }) => ok(jobs.countRunning())
