import {
  drainAgent,
  getAgent,
  getHistory,
  getMetrics,
  getOpenApi,
  health,
  ready,
} from './agent-operations.ts'
import {
  cancelJob,
  countRunningJobs,
  getJob,
  listJobs,
  listProcesses,
  signalJob,
  watchJobs,
} from './job-operations.ts'
import type { Operation } from './operation.ts'
import { followJob, readOutput, readStderr, readStdout } from './output-operations.ts'
import { executeCommand, executeScript } from './submit-operations.ts'

/** What there is to say of each endpoint; the route table names it by one of these. */
export const OPERATIONS = {
  executeCommand,
  executeScript,
  countRunningJobs,
  listJobs,
  getJob,
  readStdout,
  readStderr,
  readOutput,
  followJob,
  listProcesses,
  cancelJob,
  signalJob,
  watchJobs,
  drainAgent,
  getAgent,
  getHistory,
  getMetrics,
  getOpenApi,
  health,
  ready,
} satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS
