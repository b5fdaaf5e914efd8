import type { Job, JobHandle } from '../../lib/client/client.ts'
import { type Cli, tell } from './cli.ts'
import { formatBytes } from './format.ts'
import { outOfMemoryText } from './out-of-memory.ts'
import type { Sink } from './sink.ts'

/** Prints what a job writes, byte for byte, each stream to its own; resolves with the job when it has ended. */
export const watchJob = async (
  cli: Cli,
  job: JobHandle,
  { signal, ...sinks }: { signal: AbortSignal; out?: Pick<Sink, 'write'>; err?: Pick<Sink, 'write'> },
): Promise<Job> => {
  const { out = cli.out, err = cli.err } = sinks
  for await (const event of job.events({ signal })) {
    if (event.type === 'stdout') await out.write(event.bytes)
    else if (event.type === 'stderr') await err.write(event.bytes)
    else if (event.type === 'dropped') await tell(cli, droppedLine(event.bytes))
    else if (event.type === 'end') return event.job
  }
  throw new Error('the events of a job ended without its end')
}

interface WatchOrCancelOptions {
  /** Cancels the job. */
  signal: AbortSignal
  /** Ends the watching alone. */
  stop?: AbortSignal
  out?: Pick<Sink, 'write'>
  err?: Pick<Sink, 'write'>
}

const NEVER = new AbortController().signal

/** The same; an interrupt cancels the job, and what it writes until it is gone is shown too. */
export const watchOrCancel = async (
  cli: Cli,
  job: JobHandle,
  { signal, stop = NEVER, ...sinks }: WatchOrCancelOptions,
): Promise<Job> => {
  let failure: unknown
  const lost = new AbortController()
  const cancel = async (): Promise<void> => {
    // First of all: there may be nobody any more to be told.
    const canceling = job.cancel()
    await tell(cli, `canceling ${job.id}`).catch(() => {})
    const canceled = await canceling
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
  return watchJob(cli, job, { ...sinks, signal: AbortSignal.any([lost.signal, stop]) })
    .catch(error => {
      throw failure ?? error
    })
    .finally(() => signal.removeEventListener('abort', cancelOrGiveUp))
}

export const droppedLine = (bytes: number | null): string =>
  `${bytes === null ? 'some' : formatBytes(bytes)} of its output, from here on, ${bytes === null ? 'is' : 'are'} not kept`

/** Why a job has ended, where its exit code does not say all; undefined where it does. */
export const endLine = (job: Job): string | undefined => {
  const { id, state, reason, error } = job
  if (state === 'success' || reason === 'exited') return undefined
  const words =
    reason === 'out-of-memory'
      ? outOfMemoryText(job)
      : (Object.hasOwn(REASONS, reason) && REASONS[reason]) || reason
  return `job ${id} ${words}${error === '' || reason === 'agent-lost' ? '' : `: ${error}`}`
}

const REASONS: Partial<Record<Job['reason'], string>> = {
  signaled: 'was ended by a signal',
  timeout: 'took longer than its timeout',
  'output-limit': 'wrote more than its output limit',
  canceled: 'was canceled',
  'agent-stopped': 'was stopped with its agent',
  'agent-lost': 'was lost with its agent',
  'start-failed': 'could not be started',
}
