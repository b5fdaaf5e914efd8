import { Option } from 'commander'
import { parseDuration } from '../../../lib/base/duration.ts'
import { unwrap } from '../ask.ts'
import { eachQueued } from '../each-queued.ts'
import { duration } from '../fleet-options.ts'
import { type Verb, verb } from '../verb.ts'

interface Options {
  priority?: 'normal' | 'high'
  expires?: string
}

/** Puts into the queue once more what is dead; prints the new id of each. */
export const queueRetry: Verb = cli =>
  verb('retry', 'queue once more what is dead, print the new ids', [
    'newdt queue retry q3f8a1c2',
    'newdt queue ls --state dead -q | xargs -r newdt queue retry',
  ])
    .argument('<id...>', 'of the dead jobs, or the beginnings of them')
    .addOption(new Option('--priority <which>', 'another one than before').choices(['normal', 'high']))
    .addOption(
      new Option('--expires <duration>', 'given up when it has not begun by then').argParser(duration),
    )
    .action((ids: string[], { priority, expires }: Options) =>
      eachQueued(cli, ids, async ({ id }, open) => {
        const waitMs = expires === undefined ? undefined : parseDuration(expires)!
        const options = { ...(priority && { priority }), ...(waitMs !== undefined && { waitMs }) }
        return unwrap(await open.fleet().queue.retry(id, options)).id
      }),
    )
