import { ClientError, type JobHandle, type SubmitRequest } from '../../lib/client/client.ts'
import type { Agent } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { exitCodeOf, INTERRUPTED } from './exit-code.ts'
import { Failure, failureLine } from './failure.ts'
import { onInterrupt } from './interrupt.ts'
import { BrokenPipeError } from './sink.ts'
import type { SubmissionOptions } from './submission.ts'
import { submitJob } from './submit.ts'
import { endLine, watchJob, watchOrCancel } from './watch.ts'

type RunOptions = Pick<SubmissionOptions, 'detach' | 'rm' | 'idempotencyKey'>

/** Submits a job and shows it live; resolves with the exit code. The first Ctrl-C leaves it, or cancels it (`rm`). */
export const runJob = async (
  cli: Cli,
  { client, patient }: Agent,
  request: SubmitRequest,
  { detach, rm, idempotencyKey }: RunOptions,
): Promise<number> => {
  using interrupt = onInterrupt()
  const { id } = await submitJob(client, request, { idempotencyKey, signal: interrupt.signal })
  const job = patient.job(id)
  try {
    if (detach) {
      await cli.out.write(`${id}\n`)
      return 0
    }
    const end = await (rm ? watchOrCancel(cli, job, interrupt) : watchJob(cli, job, interrupt))
    const line = endLine(end)
    if (line !== undefined) await tell(cli, line)
    return exitCodeOf(end)
  } catch (error) {
    if (error instanceof BrokenPipeError)
      await tell(cli, `nobody reads any more, the job goes on: ${waysTo(job)}`)
    else if (!(error instanceof ClientError))
      throw new Failure(`${failureLine(error)}; the job goes on: ${waysTo(job)}`)
    if (!(error instanceof ClientError)) throw error
    if (error.word !== 'aborted') throw lostSight(job, error)
    await tell(cli, `detached, the job goes on: ${waysTo(job)}`)
    return INTERRUPTED
  }
}

const waysTo = ({ id }: JobHandle): string => `newdt logs -f ${id}, newdt cancel ${id}`

const lostSight = ({ id }: JobHandle, error: ClientError): Failure =>
  new Failure(`lost sight of job ${id}, which may still run: ${failureLine(error)}; then newdt logs -f ${id}`)
