import type { Cli } from '../cli.ts'
import { commandLineOf } from '../command-line.ts'
import { UsageError } from '../failure.ts'
import { addFleetOptions, type FleetChoice } from '../fleet-options.ts'
import { isHostLike, type Typed, withDashes } from '../missing-dashes.ts'
import { runThere } from '../run-there.ts'
import { addSubmissionOptions, type SubmissionOptions, submissionOf } from '../submission.ts'
import { addHelpOption, addHostOption, type Verb, verb } from '../verb.ts'

/** A command, its output live; ends with its exit code. */
export const run: Verb = cli => {
  const command = verb('run', 'run a command, show its output live, end with its exit code', [
    'newdt run -- df -h',
    "newdt run db1 --timeout 10m -e PGUSER=postgres -w /var/backups -- 'pg_dump app | gzip > app.gz'",
    'newdt run -d --label env=prod -- ./nightly.sh',
    "newdt run --hosts 'web*' -P 10 -- uptime",
    'newdt run --fleet prod --on role=db -- uptime',
    'newdt run --fleet prod --any role=builder --queue -- make',
  ])
  command
    .argument('[host]', 'name or URL of the agent')
    .usage('[host] [options] -- <command...>')
    .addHelpText('after', WORDS)
  addHelpOption(addFleetOptions(addHostOption(addSubmissionOptions(command, cli))), cli, typed =>
    withoutCommand(cli, typed),
  )
  return command.action(async (host: string | undefined, options: SubmissionOptions & FleetChoice) => {
    const cmd = commandLineOf(commandWords(cli, { all: command.parent?.args ?? [], words: command.args }))
    const request = { ...(await submissionOf(cli, options)), cmd }
    cli.exitCode = await runThere(cli, host, request, options)
  })
}

const commandWords = (cli: Cli, typed: Typed): string[] => {
  if (cli.rest?.length) return cli.rest
  throw new UsageError(withoutCommand(cli, typed))
}

const withoutCommand = ({ env, rest, fleet }: Cli, { all, words }: Typed): string => {
  const [first] = words
  const own = first !== undefined && isHostLike(env, first) ? 1 : 0
  const isGiven = words[own] !== undefined && !words[own].startsWith('-')
  const meant = rest || !isGiven ? undefined : withDashes({ all, words }, own, { fleet })
  return `what is to be run? It stands behind --${meant === undefined ? ', such as: newdt run -- df -h' : `: ${meant}`}`
}

const WORDS = `One word behind -- is a command line for bash; several are words that arrive as they are.
Exit codes: the job's own; 128+n by a signal; 124 timed out; 126 could not be started; 125 newdt itself failed;
130 after Ctrl-C, which leaves the job to run on unless --rm is given.
`
