import { formatTimestamp, type Micros, ZERO_TIME } from '../../lib/base/timestamp.ts'
import {
  type EndReason,
  type Job,
  type JobRecord,
  NOTHING_RAN,
  type RejectedJob,
} from '../../lib/jobs/job.ts'
import { execCmd } from '../../lib/jobs/program.ts'
import { withoutQuery } from '../../lib/notify/callback-url.ts'
import type { OutputSnapshot } from '../../lib/output/view.ts'
import { NO_USAGE } from '../../lib/process/types.ts'
import { notificationToJson } from './notification-json.ts'

/** A job as the contract writes it, without its output: all that was written and is not kept is dropped. */
export const jobToJson = (record: JobRecord) => ({
  ...fieldsBeforeOutput(record),
  stdout: '',
  stderr: '',
  ...fieldsAfterOutput(record, record.output.keptBytes),
})

export type JobJson = ReturnType<typeof jobToJson>

/** The same with its output, which is read whole. Throws OutputRemovedError. */
export const jobWithOutput = (record: JobRecord, output: OutputSnapshot): JobJson => {
  const [stdout, stderr] = [[...output.texts('stdout')].join(''), [...output.texts('stderr')].join('')]
  return {
    ...fieldsBeforeOutput(record),
    stdout,
    stderr,
    ...fieldsAfterOutput(record, output.deliveredBytes()),
  }
}

/** The fields that come before `stdout` and `stderr`. */
export const fieldsBeforeOutput = ({ job }: JobRecord) => ({
  id: job.id,
  cmd: job.cmd,
  params: job.params,
  scriptName: job.scriptName,
  scriptContent: '', // Never echoed.
  scriptType: job.scriptType,
  scriptPath: job.scriptPath,
  async: job.async,
  pid: job.state === 'rejected' ? 0 : job.pid,
  state: job.state,
})

/** The fields that come after them; `deliveredBytes` of the output are, or would be, in the answer. */
export const fieldsAfterOutput = (
  { job, output, livingLeftovers, usageNow, notifications }: JobRecord,
  deliveredBytes: number,
) => {
  const end = endOf(job)
  const { stdoutBytes, stderrBytes } = output
  const reason: EndReason | '' = end?.reason ?? ''
  return {
    exitCode: end?.exitCode ?? 0,
    execCmd: execCmd(job),
    error: end?.error ?? '',
    createTime: formatTimestamp(job.createTime),
    startTime: timeOrZero(job.state === 'rejected' ? undefined : job.startTime),
    finishTime: timeOrZero(end?.finishTime),
    reason,
    signal: end?.signal ?? '',
    stdoutBytes,
    stderrBytes,
    droppedBytes: Math.max(0, stdoutBytes + stderrBytes - deliveredBytes),
    encoding: job.encoding,
    cpu: end?.cpu ?? NOTHING_RAN.cpu,
    leftovers: end?.leftovers ?? 0,
    /** How many of the leftovers live now. */
    livingLeftovers,
    survivors: end?.survivors ?? [],
    caller: job.caller,
    client: job.client,
    labels: job.labels,
    user: job.user,
    limits: job.limits,
    usage: end?.usage ?? usageNow ?? NO_USAGE,
    notify: job.notify && { url: withoutQuery(job.notify.url), on: job.notify.on },
    queue: job.queue,
    ...(notifications?.length && {
      notifications: notifications.map(one => notificationToJson(one, job.notify)),
    }),
  }
}

const endOf = (job: Job) => {
  if (job.state === 'running') return undefined
  return job.state === 'rejected' ? rejectedEnd(job) : job
}

const rejectedEnd = ({ error, createTime }: RejectedJob) =>
  ({ error, exitCode: 0, signal: '', reason: 'rejected', finishTime: createTime, ...NOTHING_RAN }) as const

const timeOrZero = (time: Micros | undefined): string =>
  time === undefined ? ZERO_TIME : formatTimestamp(time)
