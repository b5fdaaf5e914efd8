import { Option } from 'commander'
import { unwrap } from '../ask.ts'
import { findJobs } from '../find-jobs.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'

/** All that an agent tells of jobs, as JSON. */
export const inspect: Verb = cli => {
  const command = verb('inspect', 'print all that is known of jobs, as JSON', [
    'newdt inspect 01a202f8d357',
    'newdt inspect 01a202f8d357 | jq .cpu',
  ])
  addHostOption(command)
    .argument('<id...>', 'of the jobs, or the beginnings of them')
    .option('--with-output', 'with what they wrote')
    .addOption(
      new Option('-o, --output <format>', 'json: one document for each, jsonl: one line for each')
        .choices(['json', 'jsonl'])
        .default('json'),
    )
  return command.action(
    async (ids: string[], options: { host?: string; withOutput?: boolean; output: string }) => {
      const indent = options.output === 'json' ? 2 : undefined
      for (const found of await findJobs(cli, options.host, ids)) {
        const job = unwrap(await found.job.get({ output: options.withOutput === true }))
        await cli.out.write(`${JSON.stringify(job, null, indent)}\n`)
      }
    },
  )
}
