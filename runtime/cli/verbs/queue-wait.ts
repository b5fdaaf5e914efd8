import { unwrap } from '../ask.ts'
import { INTERRUPTED } from '../exit-code.ts'
import { findQueued } from '../find-queued.ts'
import { onInterrupt } from '../interrupt.ts'
import { openFleet } from '../open-fleet.ts'
import { type OutputFormat, outputOption, printRows } from '../output-format.ts'
import { exitCodeOfQueued, queuedHow } from '../queued-end.ts'
import { type Verb, verb } from '../verb.ts'
import { waitForQueued } from '../wait-for-queued.ts'

/** Waits for queued jobs; ends with the exit code of the only one, or of the first that was no success. */
export const queueWait: Verb = cli =>
  verb('wait', 'wait for queued jobs to end, print how, end with the exit code', [
    'newdt queue wait q3f8a1c2',
    'newdt queue ls -q | xargs -r newdt queue wait',
  ])
    .argument('<id...>', 'of the queued jobs, or the beginnings of them')
    .addOption(outputOption('a line for each that has ended, or as newdt queue show prints them'))
    .action(async (ids: string[], { output }: { output: OutputFormat }) => {
      cli.endsAsJob = true
      using interrupt = onInterrupt()
      const { signal } = interrupt
      const open = await openFleet(cli)
      const found = []
      for (const id of ids) found.push(await findQueued(open, id))
      const { queue } = open.fleet()
      const ends = await Promise.all(
        found.map(async job => {
          const ended = await waitForQueued(queue, job, signal)
          if (output === 'table' && ended.ok) await cli.out.write(`${job.id} ${queuedHow(ended.value)}\n`)
          return ended
        }),
      )
      if (signal.aborted) {
        cli.exitCode = INTERRUPTED
        return
      }
      const jobs = ends.map(unwrap)
      if (output !== 'table') await printRows(cli, jobs, [], output)
      cli.exitCode = jobs.map(exitCodeOfQueued).find(code => code !== 0) ?? 0
    })
