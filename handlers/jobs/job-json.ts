// The lead moved jobToJson here from lib/jobs/job.ts; to be rebuilt by the handlers' helper.
/** A job as the contract writes it. */
export const jobToJson = (job: Job, output: OutputText, livingLeftovers = 0) => {
  const end = job.state === 'running' ? undefined : job.state === 'rejected' ? rejectedEnd(job) : job
  return {
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
    stdout: output.stdout,
    stderr: output.stderr,
    exitCode: end?.exitCode ?? 0,
    execCmd: execCmd(job),
    error: end?.error ?? '',
    createTime: formatTimestamp(job.createTime),
    startTime: timeOrZero(job.state === 'rejected' ? undefined : job.startTime),
    finishTime: timeOrZero(end?.finishTime),
    reason: end?.reason ?? '',
    signal: end?.signal ?? '',
    stdoutBytes: output.stdoutBytes,
    stderrBytes: output.stderrBytes,
    droppedBytes: output.droppedBytes,
    encoding: job.encoding,
    cpu: end?.cpu ?? NO_CPU_TIME,
    leftovers: end?.leftovers ?? 0,
    /** How many of the leftovers live now. */
    livingLeftovers,
    survivors: end?.survivors ?? [],
  }
}

export type JobJson = ReturnType<typeof jobToJson>

const rejectedEnd = ({ error, createTime }: RejectedJob) =>
  ({
    error,
    exitCode: 0,
    signal: '',
    reason: 'rejected',
    finishTime: createTime,
    ...NOTHING_RAN,
  }) as const

const NO_CPU_TIME: CpuTime = { user: 0, system: 0 }

/** Of a job that never ran, or whose end nobody saw. */
export const NOTHING_RAN = { cpu: NO_CPU_TIME, leftovers: 0, survivors: [] as Survivor[] }

const timeOrZero = (time: Micros | undefined): string =>
  time === undefined ? ZERO_TIME : formatTimestamp(time)
