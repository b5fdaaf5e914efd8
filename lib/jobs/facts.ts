import type { Micros } from '../base/timestamp.ts'
import type { JobFacts, JobRequest } from './job.ts'
import { newScriptPath } from './script-file.ts'

/** What is known of a job as soon as it is asked for; `scriptDirectory` is where its script will be. */
export const newFacts = (
  { cmd, script, params, async, encoding = 'utf-8' }: JobRequest,
  { id, createTime, scriptDirectory }: { id: string; createTime: Micros; scriptDirectory: string },
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
})
