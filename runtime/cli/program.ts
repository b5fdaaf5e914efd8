import { Command, type CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import type { Cli } from './cli.ts'
import { UsageError } from './failure.ts'
import { fleetOption, hasFleetOption, type Verb } from './verb.ts'

interface VerbEntry {
  name: string
  group: string
  load(): Promise<Verb>
  /** It ends with the exit code of a job, so that newdt's own failures need one that is hardly ever a job's. */
  endsAsJob?: boolean
  /** Something may stand behind `--`. */
  takesRest?: boolean
}

/**
 * All verbs, in the order and the groups of the help. Each is loaded when it is needed: whoever runs one does not wait
 * for the others.
 */
const VERBS: readonly VerbEntry[] = [
  {
    name: 'run',
    group: 'Jobs:',
    load: async () => (await import('./verbs/run.ts')).run,
    endsAsJob: true,
    takesRest: true,
  },
  {
    name: 'script',
    group: 'Jobs:',
    load: async () => (await import('./verbs/script.ts')).script,
    endsAsJob: true,
    takesRest: true,
  },
  { name: 'ps', group: 'Jobs:', load: async () => (await import('./verbs/ps.ts')).ps },
  { name: 'logs', group: 'Jobs:', load: async () => (await import('./verbs/logs.ts')).logs },
  { name: 'wait', group: 'Jobs:', load: async () => (await import('./verbs/wait.ts')).wait, endsAsJob: true },
  { name: 'cancel', group: 'Jobs:', load: async () => (await import('./verbs/cancel.ts')).cancel },
  { name: 'signal', group: 'Jobs:', load: async () => (await import('./verbs/signal.ts')).signal },
  { name: 'inspect', group: 'Jobs:', load: async () => (await import('./verbs/inspect.ts')).inspect },
  { name: 'top', group: 'Jobs:', load: async () => (await import('./verbs/top.ts')).top },
  {
    name: 'rerun',
    group: 'Jobs:',
    load: async () => (await import('./verbs/rerun.ts')).rerun,
    endsAsJob: true,
  },
  { name: 'hosts', group: 'Hosts:', load: async () => (await import('./verbs/hosts.ts')).hosts },
  {
    name: 'queue',
    group: 'Hosts:',
    load: async () => (await import('./verbs/queue.ts')).queue,
  },
  { name: 'host', group: 'Hosts:', load: async () => (await import('./verbs/host.ts')).host },
  { name: 'drain', group: 'Hosts:', load: async () => (await import('./verbs/drain.ts')).drain },
  { name: 'sign', group: 'Hosts:', load: async () => (await import('./verbs/sign.ts')).sign },
  { name: 'agent', group: 'This machine:', load: async () => (await import('./verbs/agent.ts')).agent },
  { name: 'key', group: 'This machine:', load: async () => (await import('./verbs/key.ts')).key },
  { name: 'audit', group: 'This machine:', load: async () => (await import('./verbs/audit.ts')).audit },
  {
    name: 'completion',
    group: 'This machine:',
    load: async () => (await import('./verbs/completion.ts')).completion,
  },
]

export const findVerb = (name: string): VerbEntry | undefined => VERBS.find(verb => verb.name === name)

/** Only with the verb that is used, where that is known: then its help and its errors are the same. */
export const createProgram = async (cli: Cli, used?: string): Promise<Command> => {
  const program = new Command('newdt')
    .description('Runs commands and scripts on hosts, through their agents.')
    .version(`newdt ${packageJson.version}`)
    .addOption(fleetOption())
    .addHelpText('after', EXAMPLES)
    .on('option:fleet', (fleet: string) => {
      cli.fleet = fleet
    })
    .hook('preAction', (_, command) => {
      if (cli.fleet !== undefined && !hasFleetOption(command))
        throw new UsageError(`${pathOf(command)}: it asks no fleet, so --fleet says nothing`)
    })
  const known = VERBS.filter(({ name }) => name === used)
  for (const { group, load } of known.length > 0 ? known : VERBS) {
    const make = await load()
    program.addCommand(make(cli).helpGroup(group))
  }
  for (const command of allOf(program)) prepare(command, cli)
  return program
}

const allOf = (command: Command): Command[] => [command, ...command.commands.flatMap(allOf)]

/** "error: unknown option '--x'\n(Did you mean …?)" becomes one line. */
const usageLine = (command: Command, error: CommanderError): string => {
  const known = ownOption(command, error)
  const message = known ? error.message.replace(/\s*\n.*|$/, ` (here it is ${known})`) : error.message
  return `${message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')}; see ${pathOf(command)} --help`
}

/** "newdt host add". */
const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()

/** How an option is called here that others have. */
const ownOption = (command: Command, { code, message }: CommanderError): string | undefined => {
  const [, flag = ''] = code === 'commander.unknownOption' ? (/'(-[^'=]*)/.exec(message) ?? []) : []
  const own = Object.hasOwn(OPTIONS_OF_OTHERS, flag) ? OPTIONS_OF_OTHERS[flag] : undefined
  return command.options.some(({ long }) => long === own?.split(' ')[0]) ? own : undefined
}

/** Of docker, systemd-run, setpriv, timeout and the like. */
const OPTIONS_OF_OTHERS: Record<string, string> = {
  '--pids-limit': '--processes',
  '--ulimit': '--open-files or --file-size',
  '--blkio-weight': '--io-weight',
  '--mem': '--memory',
  '--uid': '--user',
  '--group': '--user USER:GROUP',
  '--gid': '--user USER:GROUP',
  '-g': '--user USER:GROUP',
  '--cwd': '--workdir',
  '--chdir': '--workdir',
  '--working-directory': '--workdir',
  '--no-new-privs': '--no-new-privileges',
  '--name': '--label',
  '--background': '--detach',
}

/** Errors are thrown; main tells them. */
const prepare = (command: Command, { out, err }: Cli): void => {
  command
    .exitOverride(error => {
      // Help that was asked for, and help for want of a verb.
      if (error.exitCode === 0 || error.code === 'commander.help') throw error
      throw new UsageError(usageLine(command, error))
    })
    .configureOutput({
      writeOut: text => void out.write(text).catch(() => {}),
      writeErr: text => void err.write(text).catch(() => {}),
      outputError() {},
      getOutHelpWidth: () => out.columns() ?? 100,
      getOutHasColors: () => out.isTerminal,
    })
}

const EXAMPLES = `
Examples:
  newdt run -- df -h
  newdt ps --failed --since 1h
  newdt logs -f 01a202f8d357

newdt VERB --help says more. Without --host or NEWDT_HOST the agent of this machine is asked, with its own secret.
`
