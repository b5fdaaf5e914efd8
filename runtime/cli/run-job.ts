import { ClientError, type JobHandle, type SubmitRequest } from '../../lib/client/client.ts'
import type { Agent, FoundJob } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { exitCodeOf, INTERRUPTED } from './exit-code.ts'
import { Failure, failureLine } from './failure.ts'
import { onInterrupt } from './interrupt.ts'
import { BrokenPipeError } from './sink.ts'
import type { SubmissionOptions } from './submission.ts'
import { submitJob } from './submit.ts'
import { endLine, watchJob, watchOrCancel } from './watch.ts'
import { whileThere } from './watch-presence.ts'

type RunOptions = Pick<SubmissionOptions, 'detach' | 'rm' | 'idempotencyKey'>

/** Submits a job and shows it live; resolves with the exit code. The first Ctrl-C leaves it, or cancels it (`rm`). */
export const runJob = (
  cli: Cli,
  agent: Agent,
  request: SubmitRequest,
  { idempotencyKey, ...options }: RunOptions,
): Promise<number> =>
  showJob(cli, options, async signal => {
    const { id } = await submitJob(agent.client, request, { idempotencyKey, signal })
    return { agent, job: agent.patient.job(id) }
  })

interface ShowOptions extends Pick<RunOptions, 'detach' | 'rm'> {
  printId?: (found: FoundJob) => Promise<void>
}

/** The same, whoever submits it. */
export const showJob = async (
  cli: Cli,
  { detach, rm, printId = ({ job }) => cli.out.write(`${job.id}\n`) }: ShowOptions,
  submit: (signal: AbortSignal) => Promise<FoundJob>,
): Promise<number> => {
  using interrupt = onInterrupt()
  const { agent, job } = await submit(interrupt.signal)
  try {
    if (detach) {
      await printId({ agent, job })
      return 0
    }
    const { signal } = interrupt
    const watch = (gone: AbortSignal) =>
      rm
        ? watchOrCancel(cli, job, { signal, stop: gone })
        : watchJob(cli, job, { signal: AbortSignal.any([signal, gone]) })
    const end = await whileThere(agent, watch, { say: line => tell(cli, line) })
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
