import { cancelQueued } from '../cancel-queued.ts'
import { eachQueued } from '../each-queued.ts'
import { type Verb, verb } from '../verb.ts'

/** Takes jobs out of the queue; those that run are ended on their hosts. Prints the id of each. */
export const queueCancel: Verb = cli =>
  verb('cancel', 'take jobs out of the queue, or end them where they run', [
    'newdt queue cancel q3f8a1c2',
    'newdt queue ls -q | xargs -r newdt queue cancel --grace 30s',
  ])
    .argument('<id...>', 'of the queued jobs, or the beginnings of them')
    .option('--grace <duration>', 'where it runs: the time between TERM and KILL')
    .action((ids: string[], { grace }: { grace?: string }) =>
      eachQueued(cli, ids, async ({ id }, open) => (await cancelQueued(open, id, grace)).id),
    )
