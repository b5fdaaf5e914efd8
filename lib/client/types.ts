import type { z } from 'zod'
import type { AgentJson } from '../../handlers/agent/get-agent.ts'
import type { HistoryJson } from '../../handlers/agent/get-history.ts'
import type { JobInList } from '../../handlers/jobs/job-in-list.ts'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import type { commandSchema, scriptSchema } from '../../handlers/jobs/job-schema.ts'
import type { querySchema } from '../../handlers/jobs/list-jobs.ts'
import type { ProcessJson } from '../../handlers/jobs/list-processes.ts'

/** A job, as the agent tells it. */
export type Job = JobJson
/** A job in a list: without its output, and with the beginning of a long command. */
export type ListedJob = JobInList
export type JobProcess = ProcessJson
/** Agents of before do not tell of their host and fleet, how large the store is, and what a key is held to. */
export type Agent = Omit<AgentJson, 'host' | 'disk' | 'store' | 'caller' | 'fleet'> &
  Partial<Pick<AgentJson, 'host' | 'disk' | 'fleet'>> & {
    store: Omit<AgentJson['store'], 'bytes'> & Partial<Pick<AgentJson['store'], 'bytes'>>
    caller: Omit<AgentJson['caller'], 'bounds'> & Partial<Pick<AgentJson['caller'], 'bounds'>>
  }
/** How an agent and its host fared in the last hour. */
export type AgentHistory = HistoryJson

/** What is to be run: a command line for bash. Whether it is waited for, the method says. */
export type CommandRequest = Omit<z.input<typeof commandSchema>, 'async'>
/** What is to be run: a script. */
export type ScriptRequest = Omit<z.input<typeof scriptSchema>, 'async' | 'cmd'>
export type SubmitRequest = CommandRequest | ScriptRequest

/** Which jobs; all of what is given must be true. */
export type JobQuery = Partial<Record<keyof z.input<typeof querySchema>, string | number>>

/** What happens to a job, in its order. */
export type JobEvent =
  /** It runs; `job` is without output. */
  | { type: 'start'; job: Job }
  /** `position` is where the bytes begin in all that the job has written, to both streams. */
  | {
      type: 'stdout' | 'stderr'
      seq: number
      time: string
      position: number
      bytes: Uint8Array<ArrayBuffer>
    }
  /** So many bytes are not kept; null when it is not known how many. */
  | { type: 'dropped'; bytes: number | null }
  /** It has ended; `job` is without output. */
  | { type: 'end'; job: Job }
  /** All that is kept now has come, of a job that is not followed; `job` is without output. */
  | { type: 'caught-up'; job: Job }

/** What happens among all jobs. `position` is for `after`. */
export type WatchEvent =
  /** What has changed before is not known: lists are to be read anew. What comes then is in addition to them. */
  | { type: 'reset'; position: string; running: number }
  /** The job has changed and is as it is told, without output; `running` jobs run now. */
  | { type: 'job'; position: string; running: number; job: ListedJob }
  /** Whether new jobs are taken; at first, and when it changes. */
  | { type: 'agent'; draining: boolean; stopping: boolean }
