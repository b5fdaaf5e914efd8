import { parseDuration } from '../../lib/base/duration.ts'
import { ClientError, type SubmitRequest } from '../../lib/client/client.ts'
import { type FleetLabel, labelText } from '../../lib/fleet/names.ts'
import { newQueueId } from '../../lib/fleet/queue/queued-job.ts'
import { unwrap } from './ask.ts'
import { cancelQueued } from './cancel-queued.ts'
import { type Cli, tell } from './cli.ts'
import { INTERRUPTED } from './exit-code.ts'
import { Failure, failureLine } from './failure.ts'
import type { FleetChoice } from './fleet-options.ts'
import { onInterrupt } from './interrupt.ts'
import type { OpenFleet } from './open-fleet.ts'
import { exitCodeOfQueued, queuedEndLine } from './queued-end.ts'
import type { SubmissionOptions } from './submission.ts'
import { endLine, watchJob } from './watch.ts'
import { watchQueued } from './watch-queued.ts'

/** Puts it into the queue, and shows it live wherever it runs; resolves with its exit code. */
export const runQueued = async (
  cli: Cli,
  open: OpenFleet,
  label: FleetLabel,
  request: SubmitRequest,
  options: SubmissionOptions & FleetChoice,
): Promise<number> => {
  const { detach, rm, once, tries, limit, priority, expires, idempotencyKey = newQueueId() } = options
  const { queue } = open.fleet()
  using interrupt = onInterrupt()
  const looked = open.hosts([label]).catch(() => undefined) // Who may not look is told nothing of it.
  const { id } = unwrap(
    await queue.submit(request, {
      label,
      id: idempotencyKey,
      ...(once && { once }),
      ...(tries !== undefined && { tries }),
      ...(limit !== undefined && { limit }),
      ...(priority && { priority }),
      ...(expires !== undefined && { waitMs: parseDuration(expires)! }),
    }),
  )
  if ((await looked)?.length === 0)
    await tell(cli, `no agent with ${labelText(label)} is there now; ${id} waits for one`)
  if (detach) {
    await cli.out.write(`${id}\n`)
    return 0
  }
  const cancelAtInterrupt = async (): Promise<void> => {
    await tell(cli, `canceling ${id}`)
    await cancelQueued(open, id).catch(error => tell(cli, `${id}: ${failureLine(error)}`))
  }
  if (rm) interrupt.signal.addEventListener('abort', () => void cancelAtInterrupt(), { once: true })
  try {
    const job = await watchQueued(cli, open, id, {
      signal: rm ? NEVER : interrupt.signal,
      async show({ job }, signal) {
        const line = endLine(await watchJob(cli, job, { signal }))
        if (line !== undefined) await tell(cli, line)
      },
    })
    const line = queuedEndLine(job)
    if (line !== undefined) await tell(cli, line)
    return exitCodeOfQueued(job)
  } catch (error) {
    if (!(error instanceof ClientError))
      throw new Failure(`${failureLine(error)}; it stays in the queue: ${waysTo(id)}`)
    if (error.word !== 'aborted')
      throw new Failure(`lost sight of ${id}: ${failureLine(error)}; then ${waysTo(id)}`)
    await tell(cli, `detached, it stays in the queue: ${waysTo(id)}`)
    return INTERRUPTED
  }
}

const waysTo = (id: string): string => `newdt logs -f ${id}, newdt queue cancel ${id}`

const NEVER = new AbortController().signal
