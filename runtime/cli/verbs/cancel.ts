import { eachJob } from '../each-job.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'

/** Ends jobs; prints the id of each whose processes are gone. */
export const cancel: Verb = cli => {
  const command = verb('cancel', 'end jobs: TERM to all of their processes, then KILL', [
    'newdt cancel 01a202f8d357',
    'newdt cancel --grace 30s 01a202f8d357',
    'newdt ps -q --label env=test | xargs -r newdt cancel',
  ])
  addHostOption(command)
    .argument('<id...>', 'of the jobs, or the beginnings of them')
    .option('--grace <duration>', 'the time between TERM and KILL, such as 30s; 0s is KILL at once')
  return command.action(async (ids: string[], { host, grace }: { host?: string; grace?: string }) =>
    eachJob(
      cli,
      host,
      ids,
      job => job.cancel({ grace }),
      // Loaded where there is a queue.
      async ({ queued, open }) => (await import('../cancel-queued.ts')).cancelQueued(open, queued.id, grace),
    ),
  )
}
