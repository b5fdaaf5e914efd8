import type { Micros } from '../base/timestamp.ts'
import type { Limits } from '../process/types.ts'
import type { Caller } from '../security/caller.ts'
import { type JobFacts, type JobRequest, NO_LABELS, NO_LIMITS, type Queued } from './job.ts'
import { newScriptPath } from './script-file.ts'

export interface FactsOptions {
  id: string
  createTime: Micros
  /** Where its script will be. */
  scriptDirectory: string
  caller: Pick<Caller, 'id' | 'address'>
  limits?: Limits | undefined
  queue?: Queued | undefined
}

/** What is known of a job as soon as it is asked for. */
export const newFacts = (
  { cmd, script, params, async, encoding = 'utf-8', labels = NO_LABELS, user = '', notify }: JobRequest,
  { id, createTime, scriptDirectory, caller, limits = NO_LIMITS, queue }: FactsOptions,
): JobFacts => ({
  id,
  cmd,
  params,
  scriptName: script?.name ?? '',
  scriptType: script?.type ?? '',
  scriptPath: script ? newScriptPath(scriptDirectory, script.name) : '',
  async,
  encoding,
  createTime,
  caller: caller.id,
  client: caller.address,
  labels,
  user,
  limits,
  notify: notify ?? null,
  queue: queue ?? null,
})
