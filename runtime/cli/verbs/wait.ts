import type { Job } from '../../../lib/client/client.ts'
import { askAgent, findJobs, unwrap } from '../ask.ts'
import { exitCodeOf, INTERRUPTED } from '../exit-code.ts'
import { printable } from '../format.ts'
import { onInterrupt } from '../interrupt.ts'
import { outOfMemoryText } from '../out-of-memory.ts'
import { type OutputFormat, outputOption } from '../output-format.ts'
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
    const jobs = await findJobs(await askAgent(cli, host), ids, interrupt.signal)
    // In the order in which they were named, as each ends.
    const ends = jobs.map(job => job.wait({ output: false, signal: interrupt.signal }))
    const ended: Job[] = []
    for (const end of ends) {
      const result = await end
      if (!result.ok && interrupt.signal.aborted) {
        cli.exitCode = INTERRUPTED
        return
      }
      const job = unwrap(result)
      ended.push(job)
      if (output === 'table') await cli.out.write(`${job.id} ${printable(job.state)}${howOf(job)}\n`)
      else if (output === 'jsonl') await cli.out.write(`${JSON.stringify(job)}\n`)
    }
    if (output === 'json') await cli.out.write(`${JSON.stringify(ended, null, 2)}\n`)
    cli.exitCode = ended.map(exitCodeOf).find(code => code !== 0) ?? 0
  })
}

const howOf = (job: Job): string => {
  if (job.reason === 'out-of-memory') return `: ${outOfMemoryText(job)}`
  return job.error === '' ? '' : ` (${printable(job.error)})`
}
