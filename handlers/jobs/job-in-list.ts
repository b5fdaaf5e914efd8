import type { JobRecord } from '../../lib/jobs/job.ts'
import { cutToBytes } from './cut-to-bytes.ts'
import { jobToJson } from './job-json.ts'

/** A job as a list has it: a page of whole commands could be 50 MB. */
export const jobInList = (record: JobRecord) => {
  const whole = jobToJson(record)
  const cmd = cutToBytes(whole.cmd, MOST_BYTES_IN_LIST)
  const params = cutToBytes(whole.params, MOST_BYTES_IN_LIST)
  const execCmd = cutToBytes(whole.execCmd, MOST_BYTES_IN_LIST)
  return {
    ...whole,
    cmd,
    params,
    execCmd,
    cmdTruncated: cmd !== whole.cmd,
    paramsTruncated: params !== whole.params,
    execCmdTruncated: execCmd !== whole.execCmd,
  }
}

export type JobInList = ReturnType<typeof jobInList>

const MOST_BYTES_IN_LIST = 1024
