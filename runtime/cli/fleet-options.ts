import { type Command, Option } from 'commander'
import { chosenHost } from './verb.ts'
import { wholeNumber } from './whole-number.ts'

/** Where a job runs: on one host, or on several. */
export interface FleetChoice {
  host?: string
  hosts?: string
  parallel: number
}

export const addFleetOptions = (command: Command): Command =>
  command
    .option('--hosts <patterns>', "several hosts of the file, such as 'web*,db1'")
    .addOption(
      new Option('-P, --parallel <number>', 'with --hosts: on so many at a time')
        .default(10)
        .argParser(wholeNumber),
    )

/** Throws UsageError when hosts are named in more than one way. */
export const isFleet = <T extends FleetChoice>(
  host: string | undefined,
  options: T,
): options is T & { hosts: string } => {
  chosenHost(host, options.host, options.hosts)
  if (options.hosts === undefined) return false
  return true
}
