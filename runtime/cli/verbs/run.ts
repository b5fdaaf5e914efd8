import { askAgent } from '../ask.ts'
import type { Cli } from '../cli.ts'
import { commandLineOf } from '../command-line.ts'
import { UsageError } from '../failure.ts'
import { addFleetOptions, type FleetChoice, isFleet } from '../fleet-options.ts'
import { runJob } from '../run-job.ts'
import { runOnHosts } from '../run-on-hosts.ts'
import { addSubmissionOptions, type SubmissionOptions, submissionOf } from '../submission.ts'
import { addHelpOption, addHostOption, type Verb, verb } from '../verb.ts'
import { whichHosts } from '../which-host.ts'

/** A command, its output live; ends with its exit code. */
export const run: Verb = cli => {
  const command = verb('run', 'run a command, show its output live, end with its exit code', [
    'newdt run -- df -h',
    "newdt run db1 --timeout 10m -e PGUSER=postgres -w /var/backups -- 'pg_dump app | gzip > app.gz'",
    'newdt run -d --label env=prod -- ./nightly.sh',
    "newdt run --hosts 'web*' -P 10 -- uptime",
  ])
  command
    .argument('[host]', 'name or URL of the agent')
    .usage('[host] [options] -- <command...>')
    .addHelpText('after', WORDS)
  addHelpOption(addFleetOptions(addHostOption(addSubmissionOptions(command, cli))), NO_COMMAND)
  return command.action(async (host: string | undefined, options: SubmissionOptions & FleetChoice) => {
    const cmd = commandLineOf(commandWords(cli))
    const request = { ...(await submissionOf(cli, options)), cmd }
    if (isFleet(host, options)) {
      cli.exitCode = await runOnHosts(cli, await whichHosts(cli.env, options.hosts), request, options)
    } else {
      cli.exitCode = await runJob(cli, await askAgent(cli, host ?? options.host), request, options)
    }
  })
}

const commandWords = ({ rest }: Cli): string[] => {
  if (rest?.length) return rest
  throw new UsageError(NO_COMMAND)
}

const NO_COMMAND = 'what is to be run? It stands behind --, such as: newdt run -- df -h'

const WORDS = `One word behind -- is a command line for bash; several are words that arrive as they are.
Exit codes: the job's own; 128+n by a signal; 124 timed out; 126 could not be started; 125 newdt itself failed;
130 after Ctrl-C, which leaves the job to run on unless --rm is given.
`
