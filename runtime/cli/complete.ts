import type { Argument, Command, Option } from 'commander'
import { askAgent } from './ask.ts'
import { type Candidate, jobCandidate } from './candidate.ts'
import { type Cli, fleetNameOf } from './cli.ts'
import { verbOf } from './command-line.ts'
import { readHosts } from './hosts-file.ts'
import { createProgram } from './program.ts'

/** Prints a line for each candidate, its meaning behind a tab; nothing when they cannot be known. */
export const complete = async (cli: Cli): Promise<void> => {
  const words = cli.rest ?? []
  const candidates = await createProgram(cli, verbOf(words.slice(0, -1)))
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
  const { command, taken, argument, option, host, fleet } = placeOf(program, before)
  if (fleet !== undefined) cli.fleet = fleet
  const all = option
    ? await valuesOf(cli, option.attributeName(), option.argChoices, { command, host })
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
  /** The host, and the fleet, that was named before. */
  host: string | undefined
  fleet: string | undefined
}

const placeOf = (program: Command, words: readonly string[]): Place => {
  let command = program
  let taken = 0
  let host: string | undefined
  let fleet: string | undefined
  let option: Option | undefined
  for (const word of words) {
    const known = option
    option = undefined
    if (known) {
      if (known.attributeName() === 'host') host = word
      if (known.attributeName() === 'fleet') fleet = word
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
  const argument = all[taken] ?? (last?.variadic ? last : undefined)
  return { command, taken, argument, option, host, fleet }
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
  const isFleetMeant =
    fleetNameOf(cli) !== undefined &&
    (place?.command.parent?.name() !== 'host' || place.command.name() === 'check')
  if (name === 'fleet') return fleetsOf(cli)
  if (LABELS.has(name)) return isFleetMeant ? (await fleetCandidates(cli)).labels() : []
  if (HOST_NAMES.has(name)) return isFleetMeant ? (await fleetCandidates(cli)).hosts() : hostsOf(cli)
  const known = name === 'state' && place?.command.parent?.name() === 'queue' ? QUEUE_STATES : VALUES[name]
  if (known) return known.map(value => ({ value, meaning: '' }))
  if (name !== 'id' || !place || place.command.parent?.name().startsWith('key')) return []
  const { command, host } = place
  const isRunning = RUNNING_ONLY.has(command.name())
  if (command.parent?.name() === 'queue') return isFleetMeant ? (await fleetCandidates(cli)).queued() : []
  if (isFleetMeant && host === undefined) return (await fleetCandidates(cli)).ids(isRunning)
  return jobsOf(cli, host, isRunning)
}

/** Loaded where there is a fleet. */
const fleetCandidates = async (cli: Cli) => (await import('./complete-fleet.ts')).fleetCandidates(cli)

/** Of options that take other values too. */
const VALUES: Record<string, string[]> = {
  state: ['running', 'success', 'failed', 'canceled', 'rejected'],
  signal: ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM', 'CONT', 'STOP', 'KILL', 'WINCH'],
  since: ['10m', '1h', '24h', '7d'],
}

const QUEUE_STATES = ['waiting', 'running', 'ended', 'dead', 'canceled']

const LABELS = new Set(['on', 'any'])
const HOST_NAMES = new Set(['host', 'hosts', 'name', 'host-or-file'])
const RUNNING_ONLY = new Set(['cancel', 'signal', 'top'])

const hostsOf = async ({ env }: Cli): Promise<Candidate[]> =>
  Object.entries((await readHosts(env)).hosts).map(([value, { url }]) => ({ value, meaning: url }))

/** Without the URL, which may have a password in it. */
const fleetsOf = async ({ env }: Cli): Promise<Candidate[]> =>
  Object.keys((await readHosts(env)).fleets ?? {}).map(value => ({ value, meaning: 'fleet' }))

const jobsOf = async (cli: Cli, host: string | undefined, isRunning: boolean): Promise<Candidate[]> => {
  const { client } = await askAgent(cli, host)
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS)
  const listed = await client.list({ limit: 50, ...(isRunning ? { state: 'running' } : {}) }, { signal })
  return listed.ok ? listed.value.map(jobCandidate) : []
}

/** Somebody sits there, and the shell takes no key meanwhile. */
const LONGEST_WAIT_MS = 1000
