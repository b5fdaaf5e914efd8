import type { Clock } from '../base/clock.ts'
import type { JobFacts, JobRequest } from './job.ts'
import { newJobId } from './job-id.ts'
import { newScriptPath } from './script-file.ts'

/** What is known of a job as soon as it is asked for; `directory` is where its script will be. */
export const newFacts = (
  { cmd, script, params, async, encoding = 'utf-8' }: JobRequest,
  directory: string,
  clock: Clock,
): JobFacts => ({
  id: newJobId(),
  cmd,
  params,
  scriptName: script?.name ?? '',
  scriptType: script?.type ?? '',
  scriptPath: script ? newScriptPath(directory, script.name) : '',
  async,
  encoding,
  createTime: clock.now(),
})
