import type { Job } from '../../../lib/client/client.ts'
import { exactLimit, LIMIT_NAMES } from '../limits.ts'
import { EMPTY_FORM, type RunForm } from './form.ts'

/** A form that asks for a job again, as far as the agent keeps what was asked for. */
export const formOfJob = (job: Job): RunForm => ({
  ...EMPTY_FORM,
  kind: job.scriptName === '' ? 'command' : 'script',
  cmd: job.cmd,
  scriptName: job.scriptName,
  scriptType: job.scriptType === 'python' ? 'python' : 'shell',
  params: job.params,
  user: job.user,
  labels: Object.entries(job.labels).map(([name, value]) => ({ name, value })),
  encoding: job.encoding === 'utf-8' ? '' : job.encoding,
  limits: Object.fromEntries(
    LIMIT_NAMES.map(name => {
      const value = job.limits[name]
      return [name, value === undefined ? '' : exactLimit(name, value)]
    }),
  ) as RunForm['limits'],
})
