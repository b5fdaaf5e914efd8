import type { Argument, Command, Option } from 'commander'
import { askAgent } from './ask.ts'
import type { Cli } from './cli.ts'
import { printable } from './format.ts'
import { readHosts } from './hosts-file.ts'
import { createProgram } from './program.ts'

/** What may stand in a place, and what it means. */
export interface Candidate {
  value: string
  meaning: string
}

/** Prints a line for each candidate, its meaning behind a tab; nothing when they cannot be known. */
export const complete = async (cli: Cli): Promise<void> => {
  const words = cli.rest ?? []
  const candidates = await createProgram(cli, words.length > 1 ? words[0] : undefined)
    .then(program => candidatesFor(cli, program, words))
    .catch(() => [])
  await cli.out.write(candidates.map(({ value, meaning }) => `${value}\t${meaning}\n`).join(''))
}

/** What the last of the words, which may be empty, can become. The words are those behind `newdt`. */
export const candidatesFor = async (
  cli: Cli,
  program: Command,
  words: readonly string[],
): Promise<Candidate[]> => {
  const before = words.slice(0, -1)
  const begun = words.at(-1) ?? ''
  // What stands there is a command of somebody else's.
  if (before.includes('--')) return []
  const { command, taken, argument, option, host } = placeOf(program, before)
  const all = option
    ? await valuesOf(cli, option.attributeName(), option.argChoices)
    : begun.startsWith('-')
      ? optionsOf(command)
      : command.commands.length > 0 && taken === 0
        ? verbsOf(command)
        : argument
          ? await valuesOf(cli, argument.name(), argument.argChoices, { command, host })
          : []
  return all.filter(({ value }) => value.startsWith(begun))
}

interface Place {
  command: Command
  /** How many arguments of it stand before. */
  taken: number
  /** The argument that comes next; undefined when there is none. */
  argument: Argument | undefined
  /** The option whose value comes next. */
  option: Option | undefined
  /** The host that was named before. */
  host: string | undefined
}

const placeOf = (program: Command, words: readonly string[]): Place => {
  let command = program
  let taken = 0
  let host: string | undefined
  let option: Option | undefined
  for (const word of words) {
    const known = option
    option = undefined
    if (known) {
      if (known.attributeName() === 'host') host = word
      continue
    }
    if (word.startsWith('-')) {
      const found = command.options.find(({ long, short }) => long === word || short === word)
      if (found && (found.required || found.optional)) option = found
      continue
    }
    const verb = command.commands.find(one => one.name() === word || one.aliases().includes(word))
    if (verb) command = verb
    else taken++
  }
  const { registeredArguments: all } = command
  const last = all.at(-1)
  return { command, taken, argument: all[taken] ?? (last?.variadic ? last : undefined), option, host }
}

const optionsOf = (command: Command): Candidate[] =>
  command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ value: long ?? short!, meaning: description }))

const verbsOf = (command: Command): Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map(one => ({ value: one.name(), meaning: one.description() }))

/** By what the argument or option is called. */
const valuesOf = async (
  cli: Cli,
  name: string,
  choices: readonly string[] | undefined,
  place?: { command: Command; host: string | undefined },
): Promise<Candidate[]> => {
  if (choices) return choices.map(value => ({ value, meaning: '' }))
  if (HOST_NAMES.has(name)) return hostsOf(cli)
  const known = VALUES[name]
  if (known) return known.map(value => ({ value, meaning: '' }))
  if (name === 'id' && place && !place.command.parent?.name().startsWith('key')) {
    return jobsOf(cli, place.host, RUNNING_ONLY.has(place.command.name()))
  }
  return []
}

/** Of options that take other values too. */
const VALUES: Record<string, string[]> = {
  state: ['running', 'success', 'failed', 'canceled', 'rejected'],
  signal: ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM', 'CONT', 'STOP', 'KILL', 'WINCH'],
  since: ['10m', '1h', '24h', '7d'],
}

const HOST_NAMES = new Set(['host', 'hosts', 'name', 'host-or-file'])
const RUNNING_ONLY = new Set(['cancel', 'signal', 'top'])

const hostsOf = async ({ env }: Cli): Promise<Candidate[]> =>
  Object.entries((await readHosts(env)).hosts).map(([value, { url }]) => ({ value, meaning: url }))

const jobsOf = async (cli: Cli, host: string | undefined, isRunning: boolean): Promise<Candidate[]> => {
  const { client } = await askAgent(cli, host)
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS)
  const listed = await client.list({ limit: 50, ...(isRunning ? { state: 'running' } : {}) }, { signal })
  if (!listed.ok) return []
  return listed.value.map(({ id, state, execCmd }) => ({
    value: id,
    meaning: printable(`${state} ${execCmd}`).slice(0, 60),
  }))
}

/** Somebody sits there, and the shell takes no key meanwhile. */
const LONGEST_WAIT_MS = 1000
