import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { verifyAudit } from '../../lib/security/audit-verify.ts'
import { defaultDataDirectory } from '../data-directory.ts'
import { type Command, UsageError } from './command.ts'

/** Exits with 0 when the trail is whole, with 1 and the place when it is not. */
export const auditVerify: Command = async args => {
  const directory = directoryOf(args)
  const { files, lines, first, last, fault } = await verifyAudit(directory)
  if (fault) {
    process.stdout.write(`${directory}/${fault.file}:${fault.line}: ${fault.message}\n`)
    return 1
  }
  const counted =
    lines === 0 ? 'no line' : `lines ${first} to ${last} in ${files === 1 ? 'one file' : `${files} files`}`
  process.stdout.write(`${directory}: ${counted}, none was changed or removed\n`)
  return 0
}

const directoryOf = (args: string[]): string => {
  try {
    const { positionals } = parseArgs({ args, allowPositionals: true, options: {} })
    if (positionals.length > 1) throw new Error('only one directory can be verified')
    return resolve(positionals[0] ?? process.env.AGENT_DATA_DIR ?? defaultDataDirectory(process.env))
  } catch (error) {
    throw new UsageError(`audit verify: ${(error as Error).message}`)
  }
}
