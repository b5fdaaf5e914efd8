import type { Job, JobHandle } from '../../lib/client/client.ts'
import { type Cli, tell } from './cli.ts'
import { formatBytes } from './format.ts'
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

export const droppedLine = (bytes: number | null): string =>
  `${bytes === null ? 'some' : formatBytes(bytes)} of its output, from here on, ${bytes === null ? 'is' : 'are'} not kept`

/** Why a job has ended, where its exit code does not say all; undefined where it does. */
export const endLine = ({ id, state, reason, error }: Job): string | undefined => {
  if (state === 'success' || reason === 'exited') return undefined
  const words = REASONS[reason] ?? reason
  return `job ${id} ${words}${error === '' || error === words ? '' : `: ${error}`}`
}

const REASONS: Record<string, string> = {
  signaled: 'was ended by a signal',
  timeout: 'took longer than its timeout',
  'output-limit': 'wrote more than its output limit',
  canceled: 'was canceled',
  'agent-stopped': 'was stopped with its agent',
  'agent-lost': 'was lost with its agent',
  'start-failed': 'could not be started',
}
