import type { z } from 'zod'
import type { AgentJson } from '../../handlers/agent/get-agent.ts'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import type { commandSchema, scriptSchema } from '../../handlers/jobs/job-schema.ts'
import type { JobInList, querySchema } from '../../handlers/jobs/list-jobs.ts'
import type { ProcessJson } from '../../handlers/jobs/list-processes.ts'

/** A job, as the agent tells it. */
export type Job = JobJson
/** A job in a list: without its output, and with the beginning of a long command. */
export type ListedJob = JobInList
export type JobProcess = ProcessJson
export type Agent = AgentJson

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
