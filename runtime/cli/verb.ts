import { Command, Option } from 'commander'
import type { Cli } from './cli.ts'
import { UsageError } from './failure.ts'
import type { Typed } from './missing-dashes.ts'

/** Makes the command of a verb, which writes to the sinks of `cli` and throws what has gone wrong. */
export type Verb = (cli: Cli) => Command

/** A verb with what its help says; `examples` are lines as they would be typed. */
export const verb = (name: string, description: string, examples: readonly string[]): Command => {
  const command = new Command(name).description(description)
  if (examples.length > 0)
    command.addHelpText('after', `\nExamples:\n${examples.map(line => `  ${line}\n`).join('')}`)
  return command
}

/**
 * For verbs that run something: `newdt run df -h` asks for the help of df, and must not pass for one that was given;
 * nor do more words than the verb has arguments, or an option behind them, say what is wrong. `mistake` says how it is
 * written.
 */
export const addHelpOption = (
  command: Command,
  { rest }: Cli,
  mistake: (typed: Typed) => string,
): Command => {
  const mistaken = () => new UsageError(mistake({ all: command.parent?.args ?? [], words: command.args }))
  const fail = command.error.bind(command)
  command.error = (message, options) => {
    const isUnknown = options?.code === 'commander.unknownOption'
    if (isUnknown && rest === undefined && !command.args[0]?.startsWith('-')) throw mistaken()
    return fail(message, options)
  }
  return command
    .helpOption(false)
    .option('-h, --help', 'display help for command')
    .allowExcessArguments()
    .hook('preAction', () => {
      if (command.args.length > command.registeredArguments.length) throw mistaken()
      if (!command.opts().help) return
      if (command.args.length > 0) throw mistaken()
      command.help()
    })
}

/** For what asks one agent, directly or as one of a fleet. */
export const addHostOption = (command: Command): Command =>
  command
    .option('-H, --host <name or url>', 'the agent that is asked (default: NEWDT_HOST, or newdt host use)')
    .addOption(fleetOption())

/** Of newdt itself, so that it may stand before the verb; a verb has it to say that it is for it. */
export const fleetOption = (): Option =>
  new Option('--fleet <name or url>', 'the fleet that the agent is of (default: NEWDT_FLEET)')

export const hasFleetOption = (command: Command): boolean =>
  command.options.some(({ long }) => long === '--fleet')

/** Throws UsageError when a host is named in more than one way. */
export const chosenHost = (...names: (string | undefined)[]): string | undefined => {
  const [name, other] = names.filter(one => one !== undefined)
  if (other !== undefined) throw new UsageError(`${name} or ${other}? Name the host once`)
  return name
}

/** Several verbs for one kind of thing. */
export const noun = (name: string, description: string, cli: Cli, verbs: readonly Verb[]): Command => {
  const command = new Command(name).description(description)
  for (const make of verbs) command.addCommand(make(cli))
  return command
}
