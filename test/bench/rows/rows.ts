import type { Row } from '../row.ts'
import { consoleList } from './console-list.ts'
import { consoleLoad } from './console-load.ts'
import { consoleOutput } from './console-output.ts'
import { fleetJobs } from './fleet-jobs.ts'
import { fleetStart } from './fleet-start.ts'
import { getJob } from './get-job.ts'
import { growthHistory } from './growth-history.ts'
import { growthMemory } from './growth-memory.ts'
import { growthRunning } from './growth-running.ts'
import { jobParts } from './job-parts.ts'
import { liveLatency } from './live-latency.ts'
import { outputFetch } from './output-fetch.ts'
import { outputThrough } from './output-through.ts'
import { start } from './start.ts'
import { syncJobs } from './sync-jobs.ts'
import { usersAndLimits } from './users-and-limits.ts'

export const ROWS: Row[] = [
  syncJobs(1),
  syncJobs(5),
  getJob,
  outputThrough,
  outputFetch,
  liveLatency,
  growthHistory,
  growthMemory,
  growthRunning,
  start,
  usersAndLimits,
  consoleLoad,
  consoleList,
  consoleOutput,
  fleetStart,
  fleetJobs,
  jobParts,
]
