import { resolve } from 'node:path'
import { defaultDataDirectory } from '../../data-directory.ts'
import { type Verb, verb } from '../verb.ts'

/** Exits with 0 when the trail is whole, with 1 and the place when it is not. */
export const auditVerify: Verb = cli => {
  const command = verb('verify', 'find the first line of the audit trail that was changed or removed', [
    'newdt audit verify /var/lib/newdt-auto',
  ])
  command.argument('[directory]', 'data directory of the agent (default: AGENT_DATA_DIR)')
  return command.action(async (given: string | undefined) => {
    const { verifyAudit } = await import('../../../lib/security/audit-verify.ts')
    const directory = resolve(given ?? (cli.env.AGENT_DATA_DIR || defaultDataDirectory(cli.env)))
    const { files, lines, first, last, fault } = await verifyAudit(directory)
    if (fault) {
      cli.exitCode = 1
      return cli.out.write(`${directory}/${fault.file}:${fault.line}: ${fault.message}\n`)
    }
    const counted =
      lines === 0 ? 'no line' : `lines ${first} to ${last} in ${files === 1 ? 'one file' : `${files} files`}`
    return cli.out.write(`${directory}: ${counted}, none was changed or removed\n`)
  })
}
