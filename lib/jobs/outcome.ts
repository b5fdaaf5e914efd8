import type { Micros } from '../base/timestamp.ts'
import { type Exit, exitText, signalName } from '../process/exit-status.ts'
import type { Usage } from '../process/types.ts'
import { type EndedJob, type EndReason, NOTHING_RAN, type RunningJob, type Survivor } from './job.ts'

/** All that is known when nothing more will happen to a job. */
export interface Outcome {
  reason: EndReason
  /** How its own process ended; undefined when there was none, or when it outlives even SIGKILL. */
  exit?: Exit | undefined
  /** Why no process could be started. */
  startError?: string
  /** The job's timeout as it was asked for. */
  timeout?: string | undefined
  finishTime: Micros
  leftovers?: number
  survivors?: Survivor[]
  usage?: Usage | undefined
}

/** The job as it has ended. The state follows from the cause; where it does not, from the exit status. */
export const endedJob = (job: RunningJob, outcome: Outcome): EndedJob => {
  const { reason, exit, startError = '', timeout = '', finishTime, leftovers, survivors, usage } = outcome
  const text = exit ? exitText(exit.status) : startError
  return {
    ...job,
    state: STATES[reason] ?? (text === '' ? 'success' : 'failed'),
    startTime: job.startTime ?? finishTime,
    finishTime,
    exitCode: exit?.status.exitCode ?? 0,
    signal: signalName(exit?.status.signal ?? 0),
    error: text || causeText(reason, timeout),
    reason,
    cpu: exit?.cpu ?? NOTHING_RAN.cpu,
    usage: usage ?? NOTHING_RAN.usage,
    leftovers: leftovers ?? 0,
    survivors: survivors ?? [],
  }
}

/** A job that ran when the agent was killed. Nobody saw when it ended, so that is when it was found out. */
export const lostJob = (job: RunningJob, foundAt: Micros): EndedJob =>
  endedJob(
    { ...job, startTime: job.startTime ?? job.createTime },
    { reason: 'agent-lost', finishTime: foundAt },
  )

const STATES: Partial<Record<EndReason, EndedJob['state']>> = {
  'start-failed': 'failed',
  'agent-lost': 'failed',
  timeout: 'failed',
  'output-limit': 'failed',
  'out-of-memory': 'failed',
  canceled: 'canceled',
  'agent-stopped': 'canceled',
}

/** What is said of a job when its exit status says nothing. */
const causeText = (reason: EndReason, timeout: string): string => {
  if (reason === 'timeout') return `timed out after ${timeout}`
  return CAUSE_TEXTS[reason] ?? ''
}

const CAUSE_TEXTS: Partial<Record<EndReason, string>> = {
  'agent-stopped': 'agent stopped',
  'agent-lost': 'agent was lost',
  'output-limit': 'output limit exceeded',
  'out-of-memory': 'out of memory',
  canceled: 'canceled',
}
