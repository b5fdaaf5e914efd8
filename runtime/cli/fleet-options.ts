import { type Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from './failure.ts'

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

/** Throws UsageError when one host is named besides. */
export const isFleet = <T extends FleetChoice>(
  host: string | undefined,
  options: T,
): options is T & { hosts: string } => {
  if (options.hosts === undefined) return false
  if (host !== undefined || options.host !== undefined) throw new UsageError('one host, or --hosts; not both')
  return true
}

export const wholeNumber = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It should be a whole number, 1 or more.')
  return Number(text)
}
