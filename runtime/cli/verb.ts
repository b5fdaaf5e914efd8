import { Command } from 'commander'
import type { Cli } from './cli.ts'
import { UsageError } from './failure.ts'

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
 * nor do more words than the verb has arguments say what is wrong. `mistake` says how it is written.
 */
export const addHelpOption = (command: Command, mistake: string): Command =>
  command
    .helpOption(false)
    .option('-h, --help', 'display help for command')
    .allowExcessArguments()
    .hook('preAction', () => {
      if (command.args.length > command.registeredArguments.length) throw new UsageError(mistake)
      if (!command.opts().help) return
      if (command.args.length > 0) throw new UsageError(mistake)
      command.help()
    })

/** For what asks one agent. */
export const addHostOption = (command: Command): Command =>
  command.option(
    '-H, --host <name or url>',
    'the agent that is asked (default: NEWDT_HOST, or newdt host use)',
  )

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
