import type { Priority } from '../names.ts'
import type { QueueParameters } from './parameters.ts'

/** Why a queued job is never run again although none of its runs has come to an end. */
export type DeadReason = 'expired' | 'too-many-tries' | 'lost' | 'refused'

/** Of one that waits in the queue of a fleet, in each of its states. Times are RFC 3339. */
export interface QueuedFacts extends QueueParameters {
  id: string
  /** `role=db`: it waits for an agent with this label. */
  label: string
  priority: Priority
  /** What it runs, for people: the beginning of the command, or the name of the script. */
  summary: string
  /** Of the one message that it came as; another one with the same id is not it. */
  fingerprint: string
  /** Of what it runs, and how, whoever has signed it when: it is the same where it is submitted again. */
  content: string
  createdAt: string
  expiresAt: string
  /** All that were begun, in order; the number of each is its place, from 1 on. */
  runs: QueuedRun[]
  /** How often an agent has given it back because it has run it already. */
  passes: number
}

export interface QueuedRun {
  host: string
  /** The id of the job on that host; null until there is one. */
  job: string | null
  startedAt: string
  /** Null while it runs, and for ever where nobody has seen its end. */
  end: RunEnd | null
}

/** How a run has ended, in the words of a job of an agent. */
export interface RunEnd {
  state: 'success' | 'failed' | 'canceled'
  /** `exited`, `timeout` …; a run with `agent-lost` or `agent-stopped` does not count as the job's end. */
  reason: string
  exitCode: number
  /** "" where none ended it. */
  signal: string
  error: string
  at: string
}

/** What the bucket holds of a queued job. */
export type QueuedJob = QueuedFacts &
  (
    | { state: 'waiting' }
    /** Its newest run is under way; `suspectedAt`: since when somebody doubts that. */
    | { state: 'running'; suspectedAt: string | null }
    /** `by` is the number of the run whose end was recorded first. */
    | { state: 'ended'; by: number }
    /** `word` is the agent's word for a refusal, and "" else. */
    | { state: 'dead'; reason: DeadReason; word: string; at: string }
    | { state: 'canceled'; at: string }
  )

export type QueuedState = QueuedJob['state']

export const isFinal = ({ state }: QueuedJob): boolean =>
  state === 'ended' || state === 'dead' || state === 'canceled'

/**
 * Whether it was refused because nothing has proved who sent it. Its id is not taken by that: whoever may publish could
 * keep another's job from being run.
 */
export const isUnproven = (job: QueuedJob): boolean =>
  job.state === 'dead' && job.reason === 'refused' && job.runs.length === 0 && UNPROVEN.has(job.word)

const UNPROVEN = new Set([
  'signature-missing',
  'signature-malformed',
  'signature-wrong',
  'message-signature-malformed',
  'credential-too-weak',
  'content-digest-wrong',
])

/** The run whose end is the job's; undefined for one that has not ended. */
export const endedRun = (job: QueuedJob): (QueuedRun & { end: RunEnd }) | undefined => {
  const run = job.state === 'ended' ? job.runs[job.by - 1] : undefined
  return run?.end ? { ...run, end: run.end } : undefined
}

/** As an Idempotency-Key, a message id, a key of a bucket and a word on a command line. */
export const isQueueId = (text: string): boolean => /^[A-Za-z0-9_-]{8,64}$/.test(text)

/** An id of a job is of hex digits, so that this one is told from it by its first letter, however short it is. */
export const newQueueId = (): string =>
  `q${Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('')}`

/** How long a queued job may wait at most, and how long its record is kept. */
export const LONGEST_WAIT_MS = 7 * 24 * 3600_000
