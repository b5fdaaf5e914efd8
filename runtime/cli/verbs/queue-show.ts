import { Option } from 'commander'
import { findQueued } from '../find-queued.ts'
import { openFleet } from '../open-fleet.ts'
import { type Verb, verb } from '../verb.ts'

/** All that is known of queued jobs: each host that has begun it, and how that ended. */
export const queueShow: Verb = cli =>
  verb('show', 'print all that is known of queued jobs, as JSON', [
    'newdt queue show q3f8a1c2',
    "newdt queue show q3f8a1c2 | jq -r '.runs[-1].host'",
  ])
    .argument('<id...>', 'of the queued jobs, or the beginnings of them')
    .addOption(
      new Option('-o, --output <format>', 'json: one document for each, jsonl: one line for each')
        .choices(['json', 'jsonl'])
        .default('json'),
    )
    .action(async (ids: string[], { output }: { output: string }) => {
      const open = await openFleet(cli)
      for (const id of ids) {
        const job = await findQueued(open, id)
        await cli.out.write(`${JSON.stringify(job, null, output === 'json' ? 2 : undefined)}\n`)
      }
    })
