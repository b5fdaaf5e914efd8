import type { Job, Result } from '../../../lib/client/client.ts'
import { success } from '../../../lib/client/result.ts'
import type { QueuedJob } from '../../../lib/fleet/queue/queued-job.ts'
import { unwrap } from '../ask.ts'
import { exitCodeOf, INTERRUPTED } from '../exit-code.ts'
import { findTargets } from '../find-jobs.ts'
import { printable } from '../format.ts'
import { onInterrupt } from '../interrupt.ts'
import { outOfMemoryText } from '../out-of-memory.ts'
import { type OutputFormat, outputOption } from '../output-format.ts'
import type { Target } from '../target.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'

/** Waits for jobs; ends with the exit code of the only one, or of the first that was no success. */
export const wait: Verb = cli => {
  const command = verb('wait', 'wait for jobs to end, print how, end with the exit code', [
    'newdt wait 01a202f8d357',
    'id=$(newdt run -d -- ./nightly.sh) && newdt wait "$id"',
  ])
  addHostOption(command)
    .argument('<id...>', 'of the jobs, or the beginnings of them')
    .addOption(outputOption('a line for each that has ended, or the jobs as newdt inspect prints them'))
  return command.action(async (ids: string[], { host, output }: { host?: string; output: OutputFormat }) => {
    using interrupt = onInterrupt()
    const targets = await findTargets(cli, host, ids, interrupt.signal)
    // In the order in which they were named, as each ends.
    const ends = targets.map(target => endOf(target, interrupt.signal))
    const ended: (Job | QueuedJob)[] = []
    let code = 0
    for (const end of ends) {
      const result = await end
      if (!result.ok && interrupt.signal.aborted) {
        cli.exitCode = INTERRUPTED
        return
      }
      const { job, line, exitCode } = unwrap(result)
      ended.push(job)
      code ||= exitCode
      if (output === 'table') await cli.out.write(`${line}\n`)
      else if (output === 'jsonl') await cli.out.write(`${JSON.stringify(job)}\n`)
    }
    if (output === 'json') await cli.out.write(`${JSON.stringify(ended, null, 2)}\n`)
    cli.exitCode = code
  })
}

interface End {
  job: Job | QueuedJob
  line: string
  exitCode: number
}

const endOf = async (target: Target, signal: AbortSignal): Promise<Result<End>> => {
  if (target.kind === 'job') {
    const ended = await target.found.job.wait({ output: false, signal })
    if (!ended.ok) return ended
    const job = ended.value
    return success({ job, line: `${job.id} ${printable(job.state)}${howOf(job)}`, exitCode: exitCodeOf(job) })
  }
  const { open, queued } = target
  const [{ waitForQueued }, { exitCodeOfQueued, queuedHow }] = await Promise.all([
    import('../wait-for-queued.ts'),
    import('../queued-end.ts'),
  ])
  const ended = await waitForQueued(open.fleet().queue, queued, signal)
  if (!ended.ok) return ended
  const job = ended.value
  return success({ job, line: `${job.id} ${queuedHow(job)}`, exitCode: exitCodeOfQueued(job) })
}

const howOf = (job: Job): string => {
  if (job.reason === 'out-of-memory') return `: ${outOfMemoryText(job)}`
  return job.error === '' ? '' : ` (${printable(job.error)})`
}
