import { Option } from 'commander'
import type { JobEvent } from '../../../lib/client/client.ts'
import type { FoundJob } from '../ask.ts'
import { type Cli, tell } from '../cli.ts'
import { INTERRUPTED } from '../exit-code.ts'
import { findTargets, jobOf } from '../find-jobs.ts'
import { onInterrupt } from '../interrupt.ts'
import { stampLines } from '../stamp-lines.ts'
import type { Target } from '../target.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'
import { droppedLine, endLine } from '../watch.ts'
import { wholeNumber } from '../whole-number.ts'

interface Options {
  follow?: boolean
  number?: number
  stdout?: boolean
  stderr?: boolean
  timestamps?: boolean
  host?: string
}

/** What a job has written, byte for byte, each stream to its own. */
export const logs: Verb = cli => {
  const command = verb('logs', 'print what a job has written, each stream to its own', [
    'newdt logs 01a202f8d357',
    'newdt logs -f -n 100 01a202f8d357',
    'newdt logs --stderr -t 01a202f8d357',
  ])
  addHostOption(command)
    .argument('<id>', 'of the job, or the beginning of it')
    .option('-f, --follow', 'go on until the job ends')
    .addOption(
      new Option('-n, --number <lines>', 'begin with the last lines, counted over both streams').argParser(
        wholeNumber,
      ),
    )
    .option('--stdout', 'only what it wrote to standard output')
    .option('--stderr', 'only what it wrote to standard error')
    .option('-t, --timestamps', 'the time before each line')
  return command.action(async (id: string, options: Options) => {
    using interrupt = onInterrupt()
    const { follow = false, number: tail } = options
    const [target] = await findTargets(cli, options.host, [id], interrupt.signal)
    const show = ({ job }: FoundJob, signal: AbortSignal) =>
      printEvents(cli, job.events({ follow, tail, signal }), options)
    try {
      if (follow && target!.kind === 'queued') await followQueued(cli, target!, interrupt.signal, show)
      else await show(await jobOf(target!), interrupt.signal)
    } catch (error) {
      if (!interrupt.signal.aborted) throw error
      cli.exitCode = INTERRUPTED
    }
  })
}

/** Its runs one after the other, wherever they are. */
const followQueued = async (
  cli: Cli,
  { open, queued }: Extract<Target, { kind: 'queued' }>,
  signal: AbortSignal,
  show: (found: FoundJob, signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const [{ watchQueued }, { queuedEndLine }] = await Promise.all([
    import('../watch-queued.ts'),
    import('../queued-end.ts'),
  ])
  const line = queuedEndLine(await watchQueued(cli, open, queued.id, { signal, show }))
  if (line !== undefined) await tell(cli, line)
}

interface LogSink {
  write(bytes: Uint8Array, time: string): Promise<void>
}

const printEvents = async (
  cli: Cli,
  events: AsyncIterable<JobEvent>,
  { stdout, stderr, timestamps, follow }: Options,
): Promise<void> => {
  const isBoth = !stdout && !stderr
  const { out, err } = cli
  const sinks: Record<'stdout' | 'stderr', LogSink> = timestamps
    ? { stdout: stampLines(out), stderr: stampLines(err) }
    : { stdout: out, stderr: err }
  for await (const event of events) {
    if (event.type === 'dropped') await tell(cli, droppedLine(event.bytes))
    if (event.type === 'end' && follow) {
      const line = endLine(event.job)
      if (line !== undefined) await tell(cli, line)
    }
    if (event.type !== 'stdout' && event.type !== 'stderr') continue
    if (isBoth || (event.type === 'stdout' ? stdout : stderr))
      await sinks[event.type].write(event.bytes, event.time)
  }
}
