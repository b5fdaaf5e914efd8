import { ClientError, type JobHandle, type SubmitRequest } from '../../lib/client/client.ts'
import { type Agent, unwrap } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { exitCodeOf, INTERRUPTED } from './exit-code.ts'
import { Failure, failureLine } from './failure.ts'
import { type Interrupt, onInterrupt } from './interrupt.ts'
import { BrokenPipeError } from './sink.ts'
import type { SubmissionOptions } from './submission.ts'
import { endLine, watchJob } from './watch.ts'

type RunOptions = Pick<SubmissionOptions, 'detach' | 'rm' | 'idempotencyKey'>

/** Submits a job and shows it live; resolves with the exit code. The first Ctrl-C leaves it, or cancels it (`rm`). */
export const runJob = async (
  cli: Cli,
  { client, patient }: Agent,
  request: SubmitRequest,
  { detach, rm, idempotencyKey }: RunOptions,
): Promise<number> => {
  using interrupt = onInterrupt()
  const submitted = unwrap(await client.submit(request, { idempotencyKey }))
  if (detach) {
    await cli.out.write(`${submitted.id}\n`)
    return 0
  }
  const job = patient.job(submitted.id)
  try {
    const end = await (rm ? watchOrCancel(cli, job, interrupt) : watchJob(cli, job, interrupt))
    const line = endLine(end)
    if (line !== undefined) await tell(cli, line)
    return exitCodeOf(end)
  } catch (error) {
    if (error instanceof BrokenPipeError)
      await tell(cli, `nobody reads any more, the job goes on: ${waysTo(job)}`)
    if (!(error instanceof ClientError)) throw error
    if (error.word !== 'aborted') throw lostSight(job, error)
    await tell(cli, `detached, the job goes on: ${waysTo(job)}`)
    return INTERRUPTED
  }
}

/** What it writes until it is gone is shown too. */
const watchOrCancel = async (cli: Cli, job: JobHandle, { signal }: Interrupt) => {
  let failure: unknown
  const lost = new AbortController()
  const cancel = async (): Promise<void> => {
    await tell(cli, `canceling ${job.id}`)
    const canceled = await job.cancel()
    // It may have ended by itself meanwhile, which the events tell.
    if (!canceled.ok && canceled.error.word !== 'job-ended') throw canceled.error
  }
  const cancelOrGiveUp = () =>
    cancel().catch(error => {
      failure = error
      lost.abort()
    })
  if (signal.aborted) void cancelOrGiveUp()
  else signal.addEventListener('abort', cancelOrGiveUp, { once: true })
  return watchJob(cli, job, { signal: lost.signal }).catch(error => {
    throw failure ?? error
  })
}

const waysTo = ({ id }: JobHandle): string => `newdt logs -f ${id}, newdt cancel ${id}`

const lostSight = ({ id }: JobHandle, error: ClientError): Failure =>
  new Failure(`lost sight of job ${id}, which may still run: ${failureLine(error)}; then newdt logs -f ${id}`)
