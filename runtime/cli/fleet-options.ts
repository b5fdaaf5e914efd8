import { type Command, Option } from 'commander'
import { UsageError } from './failure.ts'
import { type OutputFormat, outputOption } from './output-format.ts'
import { chosenHost } from './verb.ts'
import { wholeNumber } from './whole-number.ts'

/** Where a job runs: on one host, or on several. */
export interface FleetChoice {
  host?: string
  hosts?: string
  parallel: number
  output: OutputFormat
}

export const addFleetOptions = (command: Command): Command =>
  command
    .option('--hosts <patterns>', "several hosts of the file, such as 'web*,db1'")
    .addOption(
      new Option('-P, --parallel <number>', 'with --hosts: on so many at a time')
        .default(10)
        .argParser(wholeNumber),
    )
    .addOption(outputOption('with --hosts: how to print what became of each'))

/** Throws UsageError when hosts are named in more than one way, or there are no rows to be printed. */
export const isFleet = <T extends FleetChoice>(
  host: string | undefined,
  options: T,
): options is T & { hosts: string } => {
  chosenHost(host, options.host, options.hosts)
  if (options.hosts === undefined && options.output !== 'table')
    throw new UsageError('-o is for --hosts; of one job newdt wait -o json tells how it ended')
  return options.hosts !== undefined
}
