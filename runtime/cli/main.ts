import { auditVerify } from './audit-verify.ts'
import { type Command, UsageError } from './command.ts'
import { keyNew } from './key-new.ts'

const COMMANDS: Record<string, Command> = {
  'key new': keyNew,
  'audit verify': auditVerify,
}

const USAGE = `Usage:
  newdt key new --id ID [--rights read,run,admin] [--file KEYS_FILE]
      Makes a bearer token: prints it once, and adds its hash to the file of keys (AGENT_KEYS_FILE).
  newdt audit verify [DATA_DIRECTORY]
      Follows the chain of the audit trail, and finds the first line that was changed or removed.
`

const main = async ([noun = '', verb = '', ...args]: string[]): Promise<number> => {
  if (['', 'help', '--help', '-h'].includes(noun)) {
    process.stdout.write(USAGE)
    return 0
  }
  const command = COMMANDS[`${noun} ${verb}`]
  if (!command) throw new UsageError(`${`${noun} ${verb}`.trim()}: no such command; see newdt help`)
  return command(args)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`newdt: ${(error as Error).message}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
