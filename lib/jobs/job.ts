import type { Micros } from '../base/timestamp.ts'
import type { CpuTime } from '../process/exit-status.ts'
import type { Limits, Usage } from '../process/types.ts'
import { NO_USAGE } from '../process/types.ts'
import type { OutboxSummary } from '../store/outbox-store.ts'
import type { OutputTotals } from '../store/output-store.ts'

export type JobState = 'running' | 'success' | 'failed' | 'canceled' | 'rejected'
export const JOB_STATES: JobState[] = ['running', 'success', 'failed', 'canceled', 'rejected']

/** Why a job is in its last state; the first cause wins. */
export type EndReason =
  | 'exited'
  | 'signaled'
  | 'timeout'
  | 'canceled'
  | 'agent-stopped'
  | 'output-limit'
  | 'out-of-memory'
  | 'start-failed'
  | 'agent-lost'
  | 'rejected'

export type ScriptType = 'shell' | 'python'

/** What somebody asks to be run. */
export interface JobRequest {
  /** "" for a script. */
  cmd: string
  /** `words` are its arguments. */
  script?: { name: string; content: string; type: ScriptType; words: string[] }
  /** As they were given, in one string; appended to a command. */
  params: string
  async: boolean
  cwd?: string | undefined
  env?: Record<string, string> | undefined
  stdin?: string | undefined
  timeout?: { text: string; ms: number } | undefined
  /** What happens to processes that still live when the job's own has ended by itself; they stay by default. */
  leftovers?: 'keep' | 'kill' | undefined
  /** How its output is to be decoded; UTF-8 when absent. */
  encoding?: string | undefined
  /** Bytes; at most the agent's own limit, which it is when absent. */
  outputLimit?: number | undefined
  labels?: Labels | undefined
  /** What happens when it writes more; the middle is dropped by default. */
  onOutputLimit?: 'drop' | 'kill' | undefined
  /** `deploy` or `deploy:group`, by name; the agent's own user when absent. */
  user?: string | undefined
  limits?: Limits | undefined
  noNewPrivileges?: boolean | undefined
  notify?: Notify | undefined
}

/** Who is to be told of what happens to a job. */
export interface Notify {
  url: string
  on: readonly NotifyOn[]
}

/** `ended` is any end of a job that ran, or should have; `rejected` one that had no slot. */
export const NOTIFY_ON = ['started', 'ended', 'success', 'failed', 'canceled', 'rejected'] as const
export type NotifyOn = (typeof NOTIFY_ON)[number]

/** A job that was taken from a fleet's queue: under which id it waited there, and which run of it this is, from 1 on. */
export interface Queued {
  id: string
  try: number
}

/** What is known of a job from its creation on. */
export interface JobFacts {
  id: string
  cmd: string
  params: string
  scriptName: string
  scriptType: ScriptType | ''
  scriptPath: string
  async: boolean
  encoding: string
  createTime: Micros
  /** The id of the key that has submitted it. */
  caller: string
  /** The IP address that it came from. */
  client: string
  labels: Labels
  /** As it was asked for; "" for the agent's own. */
  user: string
  /** What it runs within: what was asked for, and what the agent sets where nothing was. */
  limits: Limits
  /** What was asked for; null for nobody. */
  notify: Notify | null
  /** Null for a job that was asked for directly. */
  queue: Queued | null
}

/** What whoever submits a job calls it by, by name. */
export type Labels = Readonly<Record<string, string>>

export const NO_LABELS: Labels = {}

/** As they are looked for: `name=value`. */
export const labelsOf = ({ labels }: Pick<JobFacts, 'labels'>): string[] =>
  labels === NO_LABELS ? [] : Object.entries(labels).map(([name, value]) => `${name}=${value}`)

export interface RunningJob extends JobFacts {
  state: 'running'
  /** 0 and undefined while it is being started. */
  pid: number
  startTime: Micros | undefined
}

export interface EndedJob extends JobFacts {
  state: 'success' | 'failed' | 'canceled'
  pid: number
  startTime: Micros
  finishTime: Micros
  exitCode: number
  /** "SIGKILL", or "" when no signal ended it. */
  signal: string
  error: string
  reason: EndReason
  /** Seconds. */
  cpu: CpuTime
  usage: Usage
  /** How many processes lived on in the background when the job's own had ended by itself. */
  leftovers: number
  /** What lived on although it was killed: in uninterruptible sleep, or another user's. */
  survivors: Survivor[]
}

export interface Survivor {
  pid: number
  command: string
}

export interface RejectedJob extends JobFacts {
  state: 'rejected'
  error: string
}

export type Job = RunningJob | EndedJob | RejectedJob

/** A job with what is known of its output, and of what it has left behind. */
export interface JobRecord {
  job: Job
  output: OutputTotals
  /** How many of its leftovers live now; 0 in a list, which does not look. */
  livingLeftovers: number
  /** Of a running job, where it was looked for: what it uses now. */
  usageNow?: Usage | undefined
  /** What has become of its callbacks, where that was looked for. */
  notifications?: OutboxSummary[] | undefined
}

/** What the contract says when every slot is taken, with the true number of running jobs. */
export const rejectionText = (running: number): string =>
  `有 ${running} 个任务正在执行，不能执行新任务，请稍后再尝试`

export const NO_LIMITS: Limits = {}

const NO_CPU_TIME: CpuTime = { user: 0, system: 0 }

/** Of a job that never ran, or whose end nobody saw. */
export const NOTHING_RAN = {
  cpu: NO_CPU_TIME,
  usage: NO_USAGE,
  leftovers: 0,
  survivors: [] as Survivor[],
}
