import { type Command, InvalidArgumentError, Option } from 'commander'
import { DURATION } from '../../lib/base/duration.ts'
import { type FleetLabel, parseLabel } from '../../lib/fleet/names.ts'
import { UsageError } from './failure.ts'
import { type OutputFormat, outputOption } from './output-format.ts'
import { chosenHost } from './verb.ts'
import { wholeNumber } from './whole-number.ts'

/** Where a job runs: on one host, on several, on any one that has room, or on any one as soon as it has room. */
export interface FleetChoice {
  host?: string
  hosts?: string
  on?: FleetLabel[]
  parallel: number
  /** How many hosts there have to be at least. */
  expect?: number
  output: OutputFormat
  any?: FleetLabel
  /** How long a host with room is looked for. */
  wait?: string
  queue?: boolean
  once?: boolean
  tries?: number
  limit?: number
  priority?: 'normal' | 'high'
  expires?: string
}

export const addFleetOptions = (command: Command): Command =>
  command
    .option('--hosts <patterns>', "several hosts of the file, or of the fleet, such as 'web*,db1'")
    .addOption(onOption('on all hosts of the fleet with this label; repeated: with all of them'))
    .addOption(
      new Option('-P, --parallel <number>', 'with --hosts and --on: on so many at a time')
        .default(10)
        .argParser(wholeNumber),
    )
    .addOption(
      new Option(
        '--expect <number>',
        'with --hosts and --on: nothing runs unless so many are there',
      ).argParser(wholeNumber),
    )
    .addOption(outputOption('with --hosts and --on: how to print what became of each; with --any and -d too'))
    .addOption(
      new Option(
        '--any <name=value>',
        'on any one host of the fleet with this label that has room',
      ).argParser(onlyLabel),
    )
    .addOption(
      new Option('--wait <duration>', 'with --any: how long to try when none has room').argParser(duration),
    )
    .option('--queue', 'with --any: it waits in the queue of the fleet until one has room')
    .option('--once', 'with --queue: never run again, should its agent be lost')
    .addOption(new Option('--tries <number>', 'with --queue: begun so often at most').argParser(wholeNumber))
    .addOption(
      new Option('--limit <number>', 'with --queue: only so many of this label at a time').argParser(
        wholeNumber,
      ),
    )
    .addOption(new Option('--priority <which>', 'with --queue').choices(['normal', 'high']))
    .addOption(
      new Option('--expires <duration>', 'with --queue: given up when it has not begun by then').argParser(
        duration,
      ),
    )

export const onOption = (description: string): Option =>
  new Option('--on <name=value>', description).argParser((text: string, known: FleetLabel[] = []) => [
    ...known,
    labelOf(text),
  ])

/** What these options come to. */
export type Where =
  | { kind: 'host'; host: string | undefined }
  | { kind: 'hosts'; patterns: string }
  | { kind: 'on'; labels: FleetLabel[] }
  | { kind: 'any' | 'queue'; label: FleetLabel }

/** Throws UsageError when it is said in more than one way, or an option has nothing to do. */
export const whereOf = (named: string | undefined, options: FleetChoice & { detach?: boolean }): Where => {
  const { hosts, on, any, queue, output, detach } = options
  const ways = [named, options.host, hosts, on && '--on', any && '--any']
  const host = chosenHost(...ways)
  const isOfSeveral = hosts !== undefined || on !== undefined
  if (!isOfSeveral && output !== 'table' && !(any && detach && !queue))
    throw new UsageError(
      '-o is for --hosts and --on, and for --any with -d; of one job newdt wait -o json tells how it ended',
    )
  if (!isOfSeveral && options.expect !== undefined) throw new UsageError('--expect is for --hosts and --on')
  if (!any && (queue || options.wait !== undefined))
    throw new UsageError(`${queue ? '--queue' : '--wait'} is for --any, such as --any role=builder`)
  if (queue && options.wait !== undefined)
    throw new UsageError('--wait or --queue? In the queue it waits by itself; --expires says how long')
  const stray = QUEUE_OPTIONS.find(name => !queue && options[name] !== undefined)
  if (stray !== undefined) throw new UsageError(`--${stray} is for --queue`)
  if (hosts !== undefined) return { kind: 'hosts', patterns: hosts }
  if (on) return { kind: 'on', labels: on }
  if (any) return { kind: queue ? 'queue' : 'any', label: any }
  return { kind: 'host', host }
}

const QUEUE_OPTIONS = ['once', 'tries', 'limit', 'priority', 'expires'] as const

const labelOf = (text: string): FleetLabel => {
  const label = parseLabel(text)
  if (!label)
    throw new InvalidArgumentError('It should be a label of agents, such as role=db, in lower case.')
  return label
}

export const onlyLabel = (text: string, known?: FleetLabel): FleetLabel => {
  if (known)
    throw new InvalidArgumentError('Only one label: give the agents that are meant one of their own.')
  return labelOf(text)
}

/** Of an option. */
export const duration = (text: string): string => {
  if (!DURATION.test(text)) throw new InvalidArgumentError('It should be such as 30s, 5m or 24h.')
  return text
}
